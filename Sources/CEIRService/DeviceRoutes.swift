import DeviceIdentity
import DeviceLists
import Hummingbird
import RegistryStore

/// `/v1/devices`, for the regulator's staff.
struct DeviceRoutes: Sendable {
  /// What a person's own decisions are recorded as; unblock ends only these.
  static let source = "regulator"

  let door: StaffDoor
  private var store: RegistryStore { door.store }

  init(door: StaffDoor) { self.door = door }

  func add(to router: some RouterMethods<BasicRequestContext>) {
    router.get("devices/:imei", use: show)
    router.post("devices/:imei/block", use: block)
    router.post("devices/:imei/unblock", use: unblock)
    router.post("devices/:imei/release", use: release)
    router.delete("devices/:imei/release", use: endRelease)
  }

  @Sendable private func show(
    _ request: Request, _ context: BasicRequestContext
  ) async throws -> Response {
    let staff = try await door.staff(request, who: .anybody)
    let record = try await Registrar(store: store).device(imei(context), for: staff.name)
    return try JSONText.response(DeviceAnswer(record))
  }

  @Sendable private func block(
    _ request: Request, _ context: BasicRequestContext
  ) async throws -> Response {
    let staff = try await door.staff(request, who: .deciders)
    let imei = try imei(context)
    let body = try await door.decode(BlockRequest.self, from: request)
    let ground = try body.ground(on: imei, source: Self.source, asOf: .now)
    return try await decide(.block(ground), on: imei, by: staff)
  }

  @Sendable private func unblock(
    _ request: Request, _ context: BasicRequestContext
  ) async throws -> Response {
    let staff = try await door.staff(request, who: .deciders)
    let body = try await door.decode(ReasonRequest.self, from: request)
    try requireText(body.reason, named: "reason")
    return try await decide(
      .unblock(source: Self.source, reason: body.reason), on: imei(context), by: staff)
  }

  @Sendable private func release(
    _ request: Request, _ context: BasicRequestContext
  ) async throws -> Response {
    let staff = try await door.staff(request, who: .deciders)
    let body = try await door.decode(ReasonRequest.self, from: request)
    try requireText(body.reason, named: "reason")
    return try await decide(
      .release(caseReference: body.caseReference ?? "", reason: body.reason),
      on: imei(context), by: staff)
  }

  @Sendable private func endRelease(
    _ request: Request, _ context: BasicRequestContext
  ) async throws -> Response {
    let staff = try await door.staff(request, who: .deciders)
    let body = try await door.decode(ReasonRequest.self, from: request)
    try requireText(body.reason, named: "reason")
    return try await decide(.endRelease(reason: body.reason), on: imei(context), by: staff)
  }

  private func decide(
    _ decision: Registrar.Decision, on imei: IMEI, by staff: Staff
  ) async throws -> Response {
    let outcome = try await Registrar(store: store).decide(decision, on: imei, by: staff.name)
    let answer = ChangeAnswer(
      imeis: outcome.imeis.map(\.dialled), position: outcome.position?.number,
      status: outcome.position == nil ? "recorded" : "published",
      stillBlack: outcome.stillBlack.map { $0.map(DeviceAnswer.Ground.init) })
    return try JSONText.response(answer, status: outcome.position == nil ? .accepted : .ok)
  }

  private func imei(_ context: BasicRequestContext) throws -> IMEI {
    let text = try context.parameters.require("imei")
    do throws(IdentityError) {
      return try IMEI(dialled: text)
    } catch {
      throw Problem(.badRequest, "imei", "The IMEI \(error.description).")
    }
  }
}

import DeviceIdentity
import DeviceLists
import Hummingbird
import RegistryStore

/// `/v1`: devices, for the regulator's staff.
struct StaffRoutes: Sendable {
  /// What a person's own decisions are recorded as; unblock ends only these.
  static let source = "regulator"
  /// Bytes of a request's body.
  static let longestBody = 16 * 1024

  let store: RegistryStore
  let metrics: CEIRMetrics

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
    let staff = try await staff(request, mayDecide: false)
    let record = try await Registrar(store: store).device(imei(context), for: staff.name)
    return try JSONText.response(DeviceAnswer(record))
  }

  @Sendable private func block(
    _ request: Request, _ context: BasicRequestContext
  ) async throws -> Response {
    let staff = try await staff(request, mayDecide: true)
    let imei = try imei(context)
    let body = try await decode(BlockRequest.self, from: request, context)
    let ground = try body.ground(on: imei, source: Self.source, asOf: .now)
    return try await decide(.block(ground), on: imei, by: staff)
  }

  @Sendable private func unblock(
    _ request: Request, _ context: BasicRequestContext
  ) async throws -> Response {
    let staff = try await staff(request, mayDecide: true)
    let body = try await decode(ReasonRequest.self, from: request, context)
    try requireText(body.reason, named: "reason")
    return try await decide(
      .unblock(source: Self.source, reason: body.reason), on: imei(context), by: staff)
  }

  @Sendable private func release(
    _ request: Request, _ context: BasicRequestContext
  ) async throws -> Response {
    let staff = try await staff(request, mayDecide: true)
    let body = try await decode(ReasonRequest.self, from: request, context)
    try requireText(body.reason, named: "reason")
    return try await decide(
      .release(caseReference: body.caseReference ?? "", reason: body.reason),
      on: imei(context), by: staff)
  }

  @Sendable private func endRelease(
    _ request: Request, _ context: BasicRequestContext
  ) async throws -> Response {
    let staff = try await staff(request, mayDecide: true)
    let body = try await decode(ReasonRequest.self, from: request, context)
    try requireText(body.reason, named: "reason")
    return try await decide(.endRelease(reason: body.reason), on: imei(context), by: staff)
  }

  private func decide(
    _ decision: Registrar.Decision, on imei: IMEI, by staff: Staff
  ) async throws -> Response {
    let outcome = try await Registrar(store: store).decide(decision, on: imei, by: staff.name)
    let answer = ChangeAnswer(
      imeis: outcome.imeis.map(\.dialled), position: outcome.position?.number,
      status: outcome.position == nil ? "recorded" : "published")
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

  private func staff(_ request: Request, mayDecide: Bool) async throws -> Staff {
    guard let secret = request.bearerToken,
      let staff = try await store.read({ try await $0.staff(tokenHash: secret.hash) })
    else {
      metrics.refusedRequests.add()
      throw Problem(
        .unauthorized, "unauthenticated",
        "Send a token in force as `Authorization: Bearer …`: see `ceir token create`.")
    }
    guard !mayDecide || staff.role.mayDecide else {
      metrics.refusedRequests.add()
      throw Problem(
        .forbidden, "forbidden", "The role \(staff.role.rawValue) may look but not decide.")
    }
    return staff
  }

  private func decode<Value: Decodable>(
    _ type: Value.Type, from request: Request, _ context: BasicRequestContext
  ) async throws -> Value {
    let body = try await request.body.collect(upTo: Self.longestBody)
    return try JSONText.value(type, from: body)
  }
}

extension Request {
  /// The token of an `Authorization: Bearer` header. RFC 6750, 2.1.
  var bearerToken: Secret? {
    guard let header = headers[.authorization], header.utf8.count <= Secret.longestText else {
      return nil
    }
    let parts = header.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
    return Secret(String(parts[1]))
  }
}

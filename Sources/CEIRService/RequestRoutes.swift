import DeviceIdentity
import DeviceLists
import Hummingbird
package import RegistryStore

/// `/v1/requests`: what operators ask for, and what becomes of it.
struct RequestRoutes: Sendable {
  /// Requests on a page where nothing else is asked for.
  static let usualPage = 100

  let door: StaffDoor
  private var registrar: Registrar { Registrar(store: door.store) }

  init(door: StaffDoor) { self.door = door }

  private struct Page: Encodable {
    let requests: [RequestAnswer]
    /// To be given as `after`, where there may be more.
    let next: String?
  }

  func add(to router: some RouterMethods<BasicRequestContext>) {
    router.get("requests", use: list)
    router.get("requests/:request", use: show)
    router.post("requests/:request/accept", use: accept)
    router.post("requests/:request/refuse", use: refuse)
  }

  @Sendable private func list(
    _ request: Request, _ context: BasicRequestContext
  ) async throws -> Response {
    let staff = try await door.staff(request, who: .anybody)
    let asked = request.uri.queryParameters
    let state = try asked["state"].map { word in
      guard let state = RecordedRequest.State(rawValue: String(word)) else {
        throw Problem(
          .badRequest, "state", "The state is pending, accepted, published or refused.")
      }
      return state
    }
    let code = try asked["operator"].map { try OperatorRoutes.code($0) }
    let limit = try asked["limit"].map { text in
      guard let limit = Int(text), (1...Registrar.mostRequestsShown).contains(limit) else {
        throw Problem(
          .badRequest, "limit", "The limit is a number from 1 to \(Registrar.mostRequestsShown).")
      }
      return limit
    }
    let page = try await registrar.requests(
      of: code, state: state, after: asked["after"].map(String.init),
      limit: limit ?? Self.usualPage, for: staff.name)
    let isFull = page.count == limit ?? Self.usualPage
    return try JSONText.response(
      Page(requests: page.map(RequestAnswer.init), next: isFull ? page.last?.request : nil))
  }

  @Sendable private func show(
    _ request: Request, _ context: BasicRequestContext
  ) async throws -> Response {
    let staff = try await door.staff(request, who: .anybody)
    let name = try context.parameters.require("request")
    return try JSONText.response(
      RequestAnswer(try await registrar.request(name, for: staff.name)))
  }

  @Sendable private func accept(
    _ request: Request, _ context: BasicRequestContext
  ) async throws -> Response {
    let staff = try await door.staff(request, who: .deciders)
    let name = try context.parameters.require("request")
    let accepted = try await registrar.acceptRequest(name, by: staff.name)
    return try JSONText.response(
      RequestAnswer(accepted), status: accepted.state == .published ? .ok : .accepted)
  }

  @Sendable private func refuse(
    _ request: Request, _ context: BasicRequestContext
  ) async throws -> Response {
    let staff = try await door.staff(request, who: .deciders)
    let name = try context.parameters.require("request")
    let body = try await door.decode(ReasonRequest.self, from: request)
    try requireText(body.reason, named: "reason")
    return try JSONText.response(
      RequestAnswer(
        try await registrar.refuseRequest(name, reason: body.reason, by: staff.name)))
  }
}

/// An operator's request, for the staff. The subscriber is not shown.
package struct RequestAnswer: Encodable, Sendable {
  let request: String
  let `operator`: String
  let node: String
  let kind: String
  let imei: String
  /// Whether a subscriber was named, and whose: none, own, other.
  let subscriber: String
  let reason: String
  let caseReference: String
  let state: String
  let position: UInt64?
  let receivedAt: String
  let decidedAt: String?
  let decidedBy: String?
  let refusal: String?

  package init(_ request: RecordedRequest) {
    self.request = request.request
    `operator` = request.operatorCode.description
    node = request.node
    kind = request.kind.rawValue
    imei = request.imei.dialled
    subscriber = request.subscriber.rawValue
    reason = request.reason
    caseReference = request.caseReference
    state = request.state.rawValue
    position = request.position?.number
    receivedAt = request.receivedAt.description
    decidedAt = request.decidedAt?.description
    decidedBy = request.decidedBy
    refusal = request.refusal
  }
}

import DeviceLists
import Hummingbird
import ListExchange
package import RegistryStore

/// `/v1/operators/{code}`: what the regulator has agreed with an operator.
struct OperatorRoutes: Sendable {
  let door: StaffDoor

  func add(to router: some RouterMethods<BasicRequestContext>) {
    router.get("operators/:code/policy", use: policy)
    router.put("operators/:code/policy", use: setPolicy)
    router.get("operators/:code/parameters", use: parameters)
    router.put("operators/:code/parameters", use: setParameters)
  }

  private struct Versions: Encodable { let versions: [ParameterVersion] }

  private struct Proposed: Encodable {
    let version: Int
    let parameters: ParameterSet
  }

  /// The newest first.
  @Sendable private func parameters(
    _ request: Request, _ context: BasicRequestContext
  ) async throws -> Response {
    _ = try await door.staff(request, who: .anybody)
    let code = try Self.code(try context.parameters.require("code"))
    let records = try await door.store.read { try await $0.parameters(of: code) }
    return try JSONText.response(Versions(versions: try records.map(ParameterVersion.init)))
  }

  /// Proposes a whole set, to one node where `?node=` names it: what is left out is as usual.
  @Sendable private func setParameters(
    _ request: Request, _ context: BasicRequestContext
  ) async throws -> Response {
    let staff = try await door.staff(request, who: .administrators)
    let code = try Self.code(try context.parameters.require("code"))
    let node = try request.uri.queryParameters["node"].map { text in
      guard let node = NodeName(text) else {
        throw Problem(.badRequest, "node", "That is not the name of a node.")
      }
      return node
    }
    let set = try await door.decode(ParameterSet.self, from: request)
    let proposed = try await Registrar(store: door.store).propose(
      for: code, node: node, beginningAnew: true, by: staff.name
    ) { try set.apply(to: &$0) }
    return try JSONText.response(
      Proposed(version: proposed.version, parameters: ParameterSet(proposed)))
  }

  @Sendable private func policy(
    _ request: Request, _ context: BasicRequestContext
  ) async throws -> Response {
    _ = try await door.staff(request, who: .anybody)
    let code = try Self.code(try context.parameters.require("code"))
    return try JSONText.response(
      PolicyAnswer(try await door.store.read { try await $0.policy(of: code) }))
  }

  @Sendable private func setPolicy(
    _ request: Request, _ context: BasicRequestContext
  ) async throws -> Response {
    let staff = try await door.staff(request, who: .administrators)
    let code = try Self.code(try context.parameters.require("code"))
    let policy = try await door.decode(PolicyAnswer.self, from: request).policy()
    try await Registrar(store: door.store).setPolicy(policy, of: code, by: staff.name)
    return try JSONText.response(PolicyAnswer(policy))
  }

  static func code(_ text: some StringProtocol) throws -> OperatorCode {
    guard let code = OperatorCode(text) else {
      throw Problem(.badRequest, "operator", "That is not the code of an operator.")
    }
    return code
  }
}

/// An operator's policy, as it is shown and as it is set.
package struct PolicyAnswer: Codable, Sendable {
  let mode: String
  let blockRequests: String
  let unblockRequests: String
  let dailyLimit: Int

  package init(_ policy: OperatorPolicy) {
    mode = policy.mode.description
    blockRequests = policy.blockRequests.rawValue
    unblockRequests = policy.unblockRequests.rawValue
    dailyLimit = policy.dailyLimit
  }

  func policy() throws -> OperatorPolicy {
    guard let mode = CheckAnswer(word: mode) else {
      throw Problem(.badRequest, "mode", "The mode is unknown, white, grey or black.")
    }
    guard let block = OperatorPolicy.Requests(rawValue: blockRequests),
      let unblock = OperatorPolicy.Requests(rawValue: unblockRequests)
    else {
      throw Problem(
        .badRequest, "requests",
        "blockRequests and unblockRequests are accepted, reviewed or refused.")
    }
    return OperatorPolicy(
      mode: mode, blockRequests: block, unblockRequests: unblock, dailyLimit: dailyLimit)
  }
}

package import DeviceLists
package import ListExchange
import RegistryStore

/// How operators and nodes are told of changes, as an administrator proposes it.
extension Registrar {
  /// Proposes what `change` makes of the set that was proposed last, or of the usual one; effective
  /// at once where `change` says nothing else.
  package func propose(
    for code: OperatorCode, node: NodeName?, beginningAnew: Bool = false, by actor: String,
    change: @Sendable (inout ExchangeParameters) throws -> Void
  ) async throws -> ExchangeParameters {
    try await store.write { registry in
      var parameters = ExchangeParameters()
      if !beginningAnew {
        let records = try await registry.parameters(of: code)
        let last = records.first { $0.node == nil || $0.node == node?.description }
        if let last { parameters = try ExchangeParameters(json: last.document.utf8) }
      }
      parameters.effectiveAfter = 0
      try change(&parameters)
      if parameters.style == .files, parameters.files == nil { parameters.files = .init() }
      let proposed = try await registry.propose(parameters, for: code, node: node, by: actor)
      try await registry.recordActivity(
        "operator.parameters", by: actor,
        about: [
          "operator": code.description, "node": node?.description ?? "",
          "version": String(proposed.version), "style": proposed.style.rawValue,
        ])
      return proposed
    }
  }

  /// Confirms for nodes that cannot: those that are served by files.
  package func confirmParameters(
    _ version: Int, of code: OperatorCode, by actor: String
  ) async throws {
    try await store.write { registry in
      try await registry.confirmParameters(version, of: code, by: actor)
      try await registry.recordActivity(
        "operator.parameters.confirm", by: actor,
        about: ["operator": code.description, "version": String(version)])
    }
  }
}

extension RegistryTransaction {
  fileprivate func propose(
    _ parameters: ExchangeParameters, for code: OperatorCode, node: NodeName?, by actor: String
  ) async throws -> ExchangeParameters {
    guard let style = DeliveryStyle(rawValue: parameters.style.rawValue),
      let effectiveAfter = Int64(exactly: parameters.effectiveAfter)
    else { throw StoreError(.unfit, "There are no such parameters.") }
    if parameters.style.isPushed, node == nil {
      let count = try await nodes().count { $0.operatorCode == code }
      guard count < 2 else {
        throw StoreError(
          .unfit, "\(code) has \(count) nodes, each with an endpoint of its own: name the node.")
      }
    }
    var proposed = parameters
    _ = try await proposeParameters(
      for: code, node: node, style: style, effectiveAfter: effectiveAfter, by: actor
    ) { version in
      proposed.version = version
      do throws(ExchangeError) {
        proposed = try proposed.checked()
      } catch {
        throw StoreError(.unfit, "The parameters cannot be used: \(error.detail).")
      }
      return String(decoding: proposed.json, as: UTF8.self)
    }
    return proposed
  }
}

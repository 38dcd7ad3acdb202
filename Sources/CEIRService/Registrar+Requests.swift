import DeviceIdentity
package import DeviceLists
package import RegistryStore

/// What people do with operators' requests and with mass changes, noted in the activity trail.
extension Registrar {
  /// Requests that are shown at a time, unless fewer are asked for.
  package static let mostRequestsShown = 1_000

  /// The oldest first, those that came after the request `cursor`.
  package func requests(
    of code: OperatorCode? = nil, state: RecordedRequest.State? = nil, after cursor: String? = nil,
    limit: Int, for actor: String
  ) async throws -> [RecordedRequest] {
    try await store.write { registry in
      try await registry.recordActivity(
        "request.list", by: actor,
        about: [
          "operator": code?.description ?? "", "state": state?.rawValue ?? "",
          "after": cursor ?? "",
        ])
      var number: ScopeNumber?
      if let code { number = try await registry.operatorNumber(code) }
      return try await registry.requests(
        of: number, state: state, after: cursor, limit: min(limit, Self.mostRequestsShown))
    }
  }

  package func request(_ name: String, for actor: String) async throws -> RecordedRequest {
    try await store.write { registry in
      guard let request = try await registry.request(name) else { throw Self.unknown(name) }
      try await registry.recordActivity(
        "request.show", by: actor, about: ["request": name, "imei": request.imei.description])
      return request
    }
  }

  /// Waits for the publication, as with every decision of a person.
  package func acceptRequest(_ name: String, by actor: String) async throws -> RecordedRequest {
    let accepted = try await store.write { registry in
      let request = try await registry.acceptRequest(name, by: actor)
      try await registry.recordActivity(
        "request.accept", by: actor, about: ["request": name, "imei": request.imei.description])
      return request
    }
    let published = try await awaited {
      try await store.write { try await $0.request(name) }
        .flatMap { $0.state == .published ? $0 : nil }
    }
    return published ?? accepted
  }

  package func refuseRequest(
    _ name: String, reason: String, by actor: String
  ) async throws -> RecordedRequest {
    try await store.write { registry in
      let request = try await registry.refuseRequest(name, reason: reason, by: actor)
      try await registry.recordActivity(
        "request.refuse", by: actor,
        about: ["request": name, "imei": request.imei.description, "reason": reason])
      return request
    }
  }

  /// The owner of the token approves a mass change.
  package func approve(run: Int64, with token: Secret) async throws -> MassRun {
    try await store.write { registry in
      let approved = try await registry.approve(run: run, tokenHash: token.hash)
      try await registry.recordActivity(
        "mass.approve", by: approved.approvals.last ?? "",
        about: ["run": String(run), "blacks": String(approved.blacks)])
      return approved
    }
  }

  package func setPolicy(
    _ policy: OperatorPolicy, of code: OperatorCode, by actor: String
  ) async throws {
    try await store.write { registry in
      try await registry.setPolicy(policy, of: code, by: actor)
      try await registry.recordActivity(
        "operator.policy", by: actor,
        about: [
          "operator": code.description, "mode": policy.mode.description,
          "blockRequests": policy.blockRequests.rawValue,
          "unblockRequests": policy.unblockRequests.rawValue,
          "dailyLimit": String(policy.dailyLimit),
        ])
    }
  }

  private static func unknown(_ name: String) -> StoreError {
    StoreError(.unknownRequest, "There is no request \(name): see `ceir request list`.")
  }
}

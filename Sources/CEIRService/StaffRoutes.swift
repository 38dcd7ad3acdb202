package import Hummingbird
package import RegistryStore

/// `/v1`, for the regulator's staff.
package struct StaffRoutes: Sendable {
  private let door: StaffDoor

  package init(store: RegistryStore, metrics: CEIRMetrics) {
    door = StaffDoor(store: store, metrics: metrics)
  }

  package func add(to router: some RouterMethods<BasicRequestContext>) {
    DeviceRoutes(door: door).add(to: router)
    RequestRoutes(door: door).add(to: router)
    MassRoutes(door: door).add(to: router)
    OperatorRoutes(door: door).add(to: router)
  }
}

/// Lets in whom a token in force allows, and reads what they say.
struct StaffDoor: Sendable {
  /// Whom a route is for.
  enum Audience: Sendable {
    case anybody, deciders, administrators
  }

  /// Bytes of a request's body.
  static let longestBody = 16 * 1024

  let store: RegistryStore
  let metrics: CEIRMetrics

  func staff(_ request: Request, who audience: Audience) async throws -> Staff {
    guard let secret = request.bearerToken,
      let staff = try await store.read({ try await $0.staff(tokenHash: secret.hash) })
    else {
      metrics.refusedRequests.add()
      throw Problem(
        .unauthorized, "unauthenticated",
        "Send a token in force as `Authorization: Bearer …`: see `ceir token create`.")
    }
    let role = staff.role
    switch audience {
    case .anybody: return staff
    case .deciders where role.mayDecide: return staff
    case .administrators where role.mayAdminister: return staff
    case .deciders: throw refusal("The role \(role.rawValue) may look but not decide.")
    case .administrators: throw refusal("Only the role administrator may do this.")
    }
  }

  private func refusal(_ sentence: String) -> Problem {
    metrics.refusedRequests.add()
    return Problem(.forbidden, "forbidden", sentence)
  }

  func decode<Value: Decodable>(
    _ type: Value.Type, from request: Request
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

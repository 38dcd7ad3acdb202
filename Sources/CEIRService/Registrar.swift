import Crypto
package import DeviceIdentity
package import DeviceLists
package import RegistryStore

/// A person's decisions on a device: recorded with the activity trail in one transaction, then
/// waited for until they are published. The same for the HTTP interface and the commands.
package struct Registrar: Sendable {
  /// How long a person waits for the publisher.
  package static let publicationTimeout = Duration.seconds(2)
  static let lookInterval = Duration.milliseconds(10)

  package enum Decision: Sendable {
    case block(NewGround)
    case unblock(source: String, reason: String)
    case release(caseReference: String, reason: String)
    case endRelease(reason: String)
    case link([IMEI], source: String)

    var word: String {
      switch self {
      case .block: "device.block"
      case .unblock: "device.unblock"
      case .release: "device.release"
      case .endRelease: "device.endRelease"
      case .link: "device.link"
      }
    }
  }

  /// What a decision on a device came to.
  package struct Outcome: Sendable {
    package let imeis: [IMEI]
    /// Every list that has reached this position holds the change; nil while it waits.
    package let position: Position?
    /// After an unblock: the grounds that keep the device black nevertheless.
    package var stillBlack: [RecordedGround]?
  }

  let store: RegistryStore

  package init(store: RegistryStore) { self.store = store }

  package func decide(
    _ decision: Decision, on imei: IMEI, by actor: String
  ) async throws -> Outcome {
    let (receipt, stillBlack) = try await store.write { registry in
      try await registry.recordActivity(
        decision.word, by: actor, about: ["imei": imei.description, "decision": decision.summary])
      let receipt = try await registry.apply(decision, on: imei, by: actor)
      guard case .unblock = decision else { return (receipt, [RecordedGround]?.none) }
      return (receipt, try await registry.device(imei).standingBlacks(asOf: .now))
    }
    // What begins later is on no list yet, whatever has been published.
    if case .block(let ground) = decision, let start = ground.start, start > .now {
      return Outcome(imeis: receipt.imeis, position: nil)
    }
    let position = try await awaited {
      try await store.read { try await $0.published(receipt) }
    }
    return Outcome(imeis: receipt.imeis, position: position, stillBlack: stillBlack)
  }

  /// Looks again until there is a value, for as long as a person waits.
  func awaited<Value>(_ look: () async throws -> Value?) async throws -> Value? {
    let deadline = ContinuousClock.now + Self.publicationTimeout
    repeat {
      if let value = try await look() { return value }
      try await Task.sleep(for: Self.lookInterval)
    } while ContinuousClock.now < deadline
    return nil
  }

  /// What is known of a device; the look itself goes to the activity trail.
  package func device(_ imei: IMEI, for actor: String) async throws -> DeviceRecord {
    try await store.write { registry in
      try await registry.recordActivity(
        "device.show", by: actor, about: ["imei": imei.description])
      return try await registry.device(imei)
    }
  }
}

extension Registrar.Decision {
  /// For the activity trail, whose payload can be erased.
  fileprivate var summary: String {
    switch self {
    case .block(let ground): "\(ground.code) \(ground.caseReference): \(ground.reason)"
    case .unblock(let source, let reason): "\(source): \(reason)"
    case .release(let reference, let reason): "\(reference): \(reason)"
    case .endRelease(let reason): reason
    case .link(let imeis, _): imeis.map(\.description).joined(separator: " ")
    }
  }
}

extension RegistryTransaction {
  fileprivate func apply(
    _ decision: Registrar.Decision, on imei: IMEI, by actor: String
  ) async throws -> ChangeReceipt {
    switch decision {
    case .block(let ground): try await block(imei, with: ground, by: actor)
    case .unblock(let source, let reason):
      try await unblock(imei, source: source, reason: reason, by: actor)
    case .release(let reference, let reason):
      try await release(imei, caseReference: reference, reason: reason, by: actor)
    case .endRelease(let reason): try await endReleases(of: imei, reason: reason, by: actor)
    case .link(let imeis, let source): try await link(imeis, source: source, by: actor)
    }
  }

  /// One row of the trail. The hash is salted, so that it tells nothing once the payload is erased.
  package func recordActivity(
    _ action: String, by actor: String, about payload: [String: String]
  ) async throws {
    var generator = SystemRandomNumberGenerator()
    let salt = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
    let json = String(decoding: try JSONText.bytes(payload), as: UTF8.self)
    try await recordActivity(
      action, by: actor, payload: json, salt: salt,
      hash: Array(SHA256.hash(data: salt + Array(json.utf8))))
  }
}

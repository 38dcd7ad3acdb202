import Crypto
import RegistryStore

extension RegistryTransaction {
  /// One row of the activity trail.
  func recordActivity(
    _ action: String, by actor: String, about fields: [(name: String, value: String)]
  ) async throws {
    let payload = JSONText.object(fields)
    var generator = SystemRandomNumberGenerator()
    let salt = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
    try await recordActivity(
      action, by: actor, payload: payload, salt: salt,
      hash: Array(SHA256.hash(data: salt + Array(payload.utf8))))
  }
}

/// One uninterrupted history of a registry: a random name, new after each restore or promotion, so
/// that a position can never mean two things.
package struct Epoch: Hashable, Sendable, CustomStringConvertible {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  package init(using generator: inout some RandomNumberGenerator) {
    self.init(high: generator.next(), low: generator.next())
  }

  /// 32 hexadecimal digits in lower case, as in ``description``.
  package init?(_ text: some StringProtocol) {
    guard text.utf8.count == 32 else { return nil }
    guard let high = Hexadecimal.number(text.utf8.prefix(16)) else { return nil }
    guard let low = Hexadecimal.number(text.utf8.suffix(16)) else { return nil }
    self.init(high: high, low: low)
  }

  package var description: String { Hexadecimal.text(high) + Hexadecimal.text(low) }
}

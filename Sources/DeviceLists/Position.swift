/// A place in the journal. Positions of a registry are dense: 1, 2, 3 …; 0 is before the first.
package struct Position: Hashable, Comparable, Sendable, CustomStringConvertible {
  package static let start = Position(0)

  package let number: UInt64

  package init(_ number: UInt64) { self.number = number }

  package var next: Position { Position(number + 1) }

  package static func < (left: Position, right: Position) -> Bool { left.number < right.number }

  package var description: String { String(number) }
}

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

  /// 32 hexadecimal digits.
  package init?(_ text: some StringProtocol) {
    let digits = Array(text)
    guard digits.count == 32, digits.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
      return nil
    }
    guard let high = UInt64(String(digits[..<16]), radix: 16),
      let low = UInt64(String(digits[16...]), radix: 16)
    else { return nil }
    self.init(high: high, low: low)
  }

  package var description: String { Hexadecimal.text(high) + Hexadecimal.text(low) }
}

/// The name of a registry: 1 to 32 printable ASCII characters without spaces.
package struct RegistryName: Hashable, Sendable, CustomStringConvertible {
  package static let longestText = 32

  package let description: String

  package init?(_ text: some StringProtocol) {
    guard (1...Self.longestText).contains(text.utf8.count) else { return nil }
    guard text.utf8.allSatisfy({ 0x21...0x7E ~= $0 && $0 != 0x22 && $0 != 0x5C }) else {
      return nil
    }
    description = String(text)
  }
}

/// What a node follows: the entries for all operators and those of its own operator.
package struct Feed: Hashable, Sendable, CustomStringConvertible {
  package let ownOperator: OperatorCode

  package init(of ownOperator: OperatorCode) { self.ownOperator = ownOperator }

  package func contains(_ scope: Scope) -> Bool {
    scope == .all || scope == .only(ownOperator)
  }

  package var description: String { ownOperator.description }
}

/// Where a list stands: which history, how far, with what content.
package struct ListHead: Hashable, Sendable {
  package var epoch: Epoch
  package var position: Position
  package var digest: ListDigest
  /// When the registry last said that this position is current.
  package var issuedAt: Instant

  package init(epoch: Epoch, position: Position, digest: ListDigest, issuedAt: Instant) {
    self.epoch = epoch
    self.position = position
    self.digest = digest
    self.issuedAt = issuedAt
  }
}

enum Hexadecimal {
  static func text(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// The sum, modulo 2^256, of the SHA-256 of every entry's canonical bytes, read little-endian.
///
/// Equal lists have equal digests whatever the order of their changes, and a change costs two
/// hashes. It finds accidents; it is no evidence against a liar, who can choose entries that add
/// up: signatures never rest on it. `Schema/exchange/digest.md`.
package struct ListDigest: Hashable, Sendable, CustomStringConvertible {
  package static let zero = ListDigest()
  package static let byteCount = 32

  private var limbs: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  package init() {}

  /// 32 bytes, the least significant first.
  package init(littleEndian bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count == Self.byteCount)
    limbs = (
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
    )
  }

  /// 64 hexadecimal digits of the 32 bytes, the least significant byte first.
  package init?(_ text: some StringProtocol) {
    guard text.utf8.count == 2 * Self.byteCount else { return nil }
    var rest = text.utf8[...]
    var read: [UInt64] = []
    while !rest.isEmpty {
      guard let limb = Hexadecimal.number(rest.prefix(16)) else { return nil }
      read.append(limb.byteSwapped)
      rest = rest.dropFirst(16)
    }
    limbs = (read[0], read[1], read[2], read[3])
  }

  /// The 32 bytes, the least significant first.
  package var bytes: [UInt8] {
    [limbs.0, limbs.1, limbs.2, limbs.3].flatMap { limb in
      (0..<8).map { UInt8(truncatingIfNeeded: limb >> (8 * UInt64($0))) }
    }
  }

  package var description: String { Hexadecimal.text(bytes) }

  package static func + (left: ListDigest, right: ListDigest) -> ListDigest {
    var sum = ListDigest()
    var carry = false
    (sum.limbs.0, carry) = add(left.limbs.0, right.limbs.0, carry)
    (sum.limbs.1, carry) = add(left.limbs.1, right.limbs.1, carry)
    (sum.limbs.2, carry) = add(left.limbs.2, right.limbs.2, carry)
    (sum.limbs.3, _) = add(left.limbs.3, right.limbs.3, carry)
    return sum
  }

  package static func - (left: ListDigest, right: ListDigest) -> ListDigest {
    left + right.negated
  }

  package static func += (left: inout ListDigest, right: ListDigest) { left = left + right }
  package static func -= (left: inout ListDigest, right: ListDigest) { left = left - right }

  package static func == (left: ListDigest, right: ListDigest) -> Bool {
    left.limbs == right.limbs
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(limbs.0) }

  /// Two's complement.
  private var negated: ListDigest {
    var inverse = ListDigest()
    inverse.limbs = (~limbs.0, ~limbs.1, ~limbs.2, ~limbs.3)
    var one = ListDigest()
    one.limbs.0 = 1
    return inverse + one
  }

  private static func add(_ left: UInt64, _ right: UInt64, _ carry: Bool) -> (UInt64, Bool) {
    let (sum, overflow) = left.addingReportingOverflow(right)
    let (total, second) = sum.addingReportingOverflow(carry ? 1 : 0)
    return (total, overflow || second)
  }
}

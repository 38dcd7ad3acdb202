import Crypto

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
    guard text.utf8.count == 64 else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in text.utf8 {
      guard let half = Self.value(ofHexadecimal: character) else { return nil }
      if let first = high {
        bytes.append(first << 4 | half)
        high = nil
      } else {
        high = half
      }
    }
    self = bytes.withUnsafeBytes { ListDigest(littleEndian: $0) }
  }

  package var bytes: [UInt8] {
    [limbs.0, limbs.1, limbs.2, limbs.3].flatMap { limb in
      (0..<8).map { UInt8(truncatingIfNeeded: limb >> (8 * UInt64($0))) }
    }
  }

  package var description: String {
    let digits = Array("0123456789abcdef".utf8)
    let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: text, as: UTF8.self)
  }

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

  private static func value(ofHexadecimal character: UInt8) -> UInt8? {
    switch character {
    case 0x30...0x39: character - 0x30
    case 0x61...0x66: character - 0x61 + 10
    default: nil
    }
  }
}

/// The canonical bytes of entries of one scope and one class, of which only the keys differ; made
/// once for many entries. Layout: `Schema/exchange/digest.md`.
package struct CanonicalEntry {
  package static let version: UInt8 = 1

  private var bytes: [UInt8]
  private let kindOffset: Int

  package init(scope: Scope, entryClass: EntryClass) {
    let scopeName =
      switch scope {
      case .all: [UInt8]()
      case .only(let code): Array(code.description.utf8)
      }
    bytes = [Self.version, UInt8(scopeName.count)] + scopeName
    kindOffset = bytes.count
    bytes += [UInt8](repeating: 0, count: 17)
    bytes += [entryClass.status.rawValue, entryClass.isOverridable ? 1 : 0]
    let codes = entryClass.codes.codes
    bytes.append(UInt8(codes.count))
    for code in codes {
      let word = code.description.utf8
      bytes.append(UInt8(word.count))
      bytes += word
    }
  }

  /// What the entry of `subject` adds to the digest.
  package mutating func digest(of subject: Subject) -> ListDigest {
    let keys = subject.keys
    return digest(kind: subject.kind, first: keys.first, second: keys.second)
  }

  package mutating func digest(kind: Subject.Kind, first: UInt64, second: UInt64) -> ListDigest {
    let offset = kindOffset
    return bytes.withUnsafeMutableBytes { buffer in
      buffer[offset] = kind.rawValue
      buffer.storeBytes(of: first.bigEndian, toByteOffset: offset + 1, as: UInt64.self)
      buffer.storeBytes(of: second.bigEndian, toByteOffset: offset + 9, as: UInt64.self)
      let hash = SHA256.hash(data: UnsafeRawBufferPointer(buffer))
      return hash.withUnsafeBytes { ListDigest(littleEndian: $0) }
    }
  }

  /// The canonical bytes themselves, for documentation and tests.
  package func bytes(of subject: Subject) -> [UInt8] {
    var copy = self
    _ = copy.digest(of: subject)
    return copy.bytes
  }
}

extension Entry {
  /// What this entry adds to the digest of its scope.
  package var digest: ListDigest {
    var canonical = CanonicalEntry(scope: scope, entryClass: entryClass)
    return canonical.digest(of: subject)
  }
}

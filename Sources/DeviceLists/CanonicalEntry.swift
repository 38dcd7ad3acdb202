import Crypto

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

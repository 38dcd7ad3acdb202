import DeviceIdentity

/// Why a field is not the value that it should be.
struct FieldFault: Error {
  let code: RefusalCode
  let reason: String
  let column: Int?

  init(_ code: RefusalCode, _ reason: String, column: Int?) {
    self.code = code
    self.reason = reason
    self.column = column
  }

  /// `reason` replaces the words of the error.
  init(_ error: IdentityError, column: Int, reason: String? = nil) {
    let code: RefusalCode =
      switch error.code {
      case .empty: .emptyIdentity
      case .length: .identityLength
      case .notADigit: .notADigit
      case .notASCII: .notASCII
      case .spreadsheetNumber: .spreadsheetNumber
      case .checkDigit: .checkDigit
      }
    self.init(code, reason ?? error.description, column: column)
  }
}

/// The first line of each key of a file, and a digest of what it said. 16 bytes a key, and as much
/// again for the free places of the table.
struct FirstLines<Key: Hashable & Sendable>: Sendable {
  private struct First {
    let content: UInt32
    let line: UInt32
  }

  private var first: [Key: First] = [:]

  /// Nil for a key that is new; else why this line is not used.
  mutating func note(
    _ key: Key, content: ContentDigest, line: Int, column: Int
  ) -> FieldFault? {
    let new = First(content: content.folded, line: UInt32(clamping: line))
    guard let old = first.updateValue(new, forKey: key) else { return nil }
    first[key] = old
    return old.content == new.content
      ? FieldFault(.duplicateLine, "repeats line \(old.line), which is kept", column: nil)
      : FieldFault(
        .conflictingLine, "says otherwise than line \(old.line), which is kept", column: column)
  }
}

/// FNV-1a over the values of a line: tells a repeated line from a contradicting one.
struct ContentDigest: Sendable {
  private var state: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func combine(_ text: String?) {
    guard let text else { return combine(0xFF) }
    for byte in text.utf8 { mix(UInt64(byte)) }
    mix(0x100)
  }

  mutating func combine(_ number: Int64?) {
    mix(number.map { UInt64(bitPattern: $0) } ?? 0x200)
  }

  private mutating func mix(_ value: UInt64) {
    state = (state ^ value) &* 0x100_0000_01B3
  }

  var folded: UInt32 { UInt32(truncatingIfNeeded: state ^ state >> 32) }
}

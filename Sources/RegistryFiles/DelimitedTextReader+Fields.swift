/// The fields of the current record; blanks around them do not count.
extension DelimitedTextReader {
  var fieldCount: Int { fields.count }

  /// A line with nothing on it.
  var isBlank: Bool { fields.count == 1 && trimmed(0).isEmpty }

  func isEmpty(_ field: Int) -> Bool { trimmed(field).isEmpty }

  func text(_ field: Int) -> String {
    String(decoding: buffer[trimmed(field)], as: UTF8.self)
  }

  /// The value of a field that is `count` digits and nothing else. Allocates nothing.
  func number(_ field: Int, digits count: Int) -> UInt64? {
    let place = trimmed(field)
    guard place.count == count else { return nil }
    let bytes = buffer.span
    var value: UInt64 = 0
    for index in place {
      let digit = bytes[index] &- 0x30
      guard digit <= 9 else { return nil }
      value = value &* 10 &+ UInt64(digit)
    }
    return value
  }

  /// Whether the field is the lower-case ASCII `word`, in whatever case.
  func holds(_ word: StaticString, _ field: Int) -> Bool {
    let place = trimmed(field)
    guard place.count == word.utf8CodeUnitCount else { return false }
    return word.withUTF8Buffer { wanted in
      zip(wanted, buffer[place]).allSatisfy { $0 == $1 || $0 == $1 | 0x20 }
    }
  }

  func holdsControlCharacter(_ field: Int) -> Bool {
    buffer[trimmed(field)].contains { $0 < 0x20 || $0 == 0x7F }
  }

  /// A view of the bytes, without blanks around them.
  func bytes(_ field: Int) -> ArraySlice<UInt8> { buffer[trimmed(field)] }

  func byteCount(_ field: Int) -> Int { trimmed(field).count }

  func trimmed(_ field: Int) -> Range<Int> {
    let bytes = buffer.span
    var (first, end) = (fields[field].lowerBound, fields[field].upperBound)
    while first < end, bytes[first] == 0x20 || bytes[first] == 0x09 { first += 1 }
    while first < end, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
    return first..<end
  }
}

extension DelimitedTextReader {
  /// A field of up to eight bytes as one number, to know it again; nil for a longer one.
  func shortWord(_ field: Int) -> UInt64? {
    let place = trimmed(field)
    guard place.count <= 8 else { return nil }
    let bytes = buffer.span
    var word: UInt64 = 0
    for index in place { word = word << 8 | UInt64(bytes[index]) }
    return word
  }

  /// The bytes of a field, in place. Allocates nothing.
  func withBytes<Value>(_ field: Int, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
    let place = trimmed(field)
    return buffer.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[place])) }
  }
}

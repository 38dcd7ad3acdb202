/// Reads exactly what RFC 8259 allows, a name at most once in an object.
struct JSONReader {
  let bytes: UnsafeRawBufferPointer
  var place = 0
  private var depth = 0
  private var valueCount = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func document() throws(ExchangeError) -> JSONValue {
    let value = try value()
    try end()
    return value
  }

  func wrong(_ what: String) -> ExchangeError {
    ExchangeError(.malformed, "\(what) at byte \(place + 1)")
  }

  private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
      place += 1
    }
  }

  mutating func take(_ byte: UInt8) -> Bool {
    skipBlanks()
    guard next == byte else { return false }
    place += 1
    return true
  }

  mutating func value() throws(ExchangeError) -> JSONValue {
    skipBlanks()
    valueCount += 1
    guard valueCount <= ExchangeLimits.mostValues else { throw wrong("too many values") }
    guard let byte = next else { throw wrong("the text ends") }
    switch byte {
    case UInt8(ascii: "{"):
      return try nested { (reader) throws(ExchangeError) in try reader.object() }
    case UInt8(ascii: "["):
      return try nested { (reader) throws(ExchangeError) in try reader.array() }
    case UInt8(ascii: "\""): return .text(try string())
    case UInt8(ascii: "-"), 0x30...0x39: return try number()
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    default: throw wrong("no JSON value")
    }
  }

  private mutating func nested<Value>(
    _ read: (inout JSONReader) throws(ExchangeError) -> Value
  ) throws(ExchangeError) -> Value {
    guard depth < ExchangeLimits.deepestNesting else { throw wrong("too deeply nested") }
    depth += 1
    place += 1
    let value = try read(&self)
    depth -= 1
    return value
  }

  private mutating func object() throws(ExchangeError) -> JSONValue {
    var members: [JSONValue.Member] = []
    try objectRest({ (reader, name) throws(ExchangeError) in
      members.append(JSONValue.Member(name: name, value: try reader.value()))
    })
    return .object(members)
  }

  private mutating func array() throws(ExchangeError) -> JSONValue {
    var values: [JSONValue] = []
    try arrayRest({ (reader) throws(ExchangeError) in values.append(try reader.value()) })
    return .array(values)
  }

  /// After the opening brace: hands out each name; `take` reads the value.
  private mutating func objectRest(
    _ take: (inout JSONReader, String) throws(ExchangeError) -> Void
  ) throws(ExchangeError) {
    if self.take(UInt8(ascii: "}")) { return }
    var names: [String] = []
    repeat {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else { throw wrong("no name") }
      let name = try string()
      guard !names.contains(name) else { throw wrong("a name twice") }
      guard names.count < ExchangeLimits.mostMembers else { throw wrong("too many members") }
      names.append(name)
      guard self.take(UInt8(ascii: ":")) else { throw wrong("no colon") }
      try take(&self, name)
    } while self.take(UInt8(ascii: ","))
    guard self.take(UInt8(ascii: "}")) else { throw wrong("no end of the object") }
  }

  /// After the opening bracket.
  private mutating func arrayRest(
    _ take: (inout JSONReader) throws(ExchangeError) -> Void
  ) throws(ExchangeError) {
    if self.take(UInt8(ascii: "]")) { return }
    repeat { try take(&self) } while self.take(UInt8(ascii: ","))
    guard self.take(UInt8(ascii: "]")) else { throw wrong("no end of the array") }
  }

  private mutating func word(
    _ word: StaticString, _ value: JSONValue
  ) throws(ExchangeError) -> JSONValue {
    let matches = word.withUTF8Buffer { expected in
      bytes.count - place >= expected.count
        && expected.elementsEqual(bytes[place..<place + expected.count])
    }
    guard matches else { throw wrong("no JSON value") }
    place += word.utf8CodeUnitCount
    return value
  }
}

// MARK: - Piece by piece

extension JSONReader {
  /// Reads the whole of the bytes by `read`.
  static func read<Value>(
    _ bytes: [UInt8], most: Int, _ read: (inout JSONReader) throws(ExchangeError) -> Value
  ) throws(ExchangeError) -> Value {
    guard bytes.count <= most else { throw ExchangeError(.tooLarge, "over \(most) bytes") }
    return try bytes.withUnsafeBytes { bytes in
      Result { () throws(ExchangeError) in
        var reader = JSONReader(bytes)
        let value = try read(&reader)
        try reader.end()
        return value
      }
    }.get()
  }

  mutating func end() throws(ExchangeError) {
    skipBlanks()
    guard place == bytes.count else { throw wrong("something follows the value") }
  }

  /// Reads an object, its members one after the other: `take` reads the value of each.
  mutating func members(
    _ take: (inout JSONReader, String) throws(ExchangeError) -> Void
  ) throws(ExchangeError) {
    try pieces(from: UInt8(ascii: "{")) { (reader) throws(ExchangeError) in
      try reader.objectRest { (reader, name) throws(ExchangeError) in
        reader.valueCount = 0
        try take(&reader, name)
      }
    }
  }

  /// Reads an array, its elements one after the other: `take` reads each from ``place``.
  mutating func elements(
    _ take: (inout JSONReader) throws(ExchangeError) -> Void
  ) throws(ExchangeError) {
    try pieces(from: UInt8(ascii: "[")) { (reader) throws(ExchangeError) in
      try reader.arrayRest({ (reader) throws(ExchangeError) in
        reader.valueCount = 0
        reader.skipBlanks()
        try take(&reader)
      })
    }
  }

  private mutating func pieces(
    from opening: UInt8, _ read: (inout JSONReader) throws(ExchangeError) -> Void
  ) throws(ExchangeError) {
    skipBlanks()
    guard next == opening else { throw wrong("no \"\(Unicode.Scalar(opening))\"") }
    try nested(read)
  }
}

// MARK: - Numbers and strings

extension JSONReader {
  private mutating func digits() -> Int {
    let start = place
    while let byte = next, 0x30...0x39 ~= byte { place += 1 }
    return place - start
  }

  private mutating func number() throws(ExchangeError) -> JSONValue {
    let isNegative = next == UInt8(ascii: "-")
    if isNegative { place += 1 }
    let start = place
    let count = digits()
    guard count > 0, count == 1 || bytes[start] != 0x30 else { throw wrong("no number") }
    let whole = start..<place
    var fraction = place..<place
    if next == UInt8(ascii: ".") {
      place += 1
      fraction = place..<place + digits()
      guard !fraction.isEmpty else { throw wrong("no number") }
    }
    var exponent = 0
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      place += 1
      exponent = try self.exponent()
    }
    guard !isNegative else { return .otherNumber }
    return wholeNumber(whole, fraction, exponent).map(JSONValue.whole) ?? .otherNumber
  }

  /// Beyond ``mostExponent`` nothing but 0 is a number of the exchange.
  private mutating func exponent() throws(ExchangeError) -> Int {
    let isNegative = next == UInt8(ascii: "-")
    if isNegative || next == UInt8(ascii: "+") { place += 1 }
    let start = place
    guard digits() > 0 else { throw wrong("no number") }
    let number = bytes[start..<place].reduce(0) {
      min($0 * 10 + Int($1 & 15), Self.mostExponent)
    }
    return isNegative ? -number : number
  }

  private static let mostExponent = 1_000

  /// `12`, and what JSON Schema calls the same integer: `12.0`, `1.2e1`, `120e-1`. Nil where it is
  /// none, or above 2^64 − 1.
  private func wholeNumber(
    _ whole: Range<Int>, _ fraction: Range<Int>, _ exponent: Int
  ) -> UInt64? {
    var number: UInt64 = 0
    // So many digits stand before the point once it is moved; the others must be 0.
    let before = whole.count + exponent
    for index in 0..<max(before, whole.count + fraction.count) {
      let digit =
        if index < whole.count {
          bytes[whole.lowerBound + index] & 15
        } else if index - whole.count < fraction.count {
          bytes[fraction.lowerBound + index - whole.count] & 15
        } else {
          UInt8(0)
        }
      if index >= before {
        guard digit == 0 else { return nil }
      } else {
        guard let longer = Self.appending(digit, to: number) else { return nil }
        number = longer
      }
    }
    return number
  }

  private static func appending(_ digit: UInt8, to number: UInt64) -> UInt64? {
    let (product, isTooLarge) = number.multipliedReportingOverflow(by: 10)
    let (sum, isTooLargeBy1) = product.addingReportingOverflow(UInt64(digit))
    return isTooLarge || isTooLargeBy1 ? nil : sum
  }

  private mutating func string() throws(ExchangeError) -> String {
    place += 1
    let start = place
    while let byte = next, byte != 0x22, byte != 0x5C, byte >= 0x20 { place += 1 }
    var units = Array(bytes[start..<place])
    while let byte = next, byte != 0x22 {
      guard byte >= 0x20 else { throw wrong("a control character") }
      place += 1
      if byte == 0x5C { try escape(into: &units) } else { units.append(byte) }
    }
    guard next == 0x22 else { throw wrong("no end of the text") }
    place += 1
    guard let text = String(validating: units, as: UTF8.self) else { throw wrong("no UTF-8") }
    return text
  }

  private mutating func escape(into units: inout [UInt8]) throws(ExchangeError) {
    guard let byte = next else { throw wrong("the text ends") }
    place += 1
    switch byte {
    case 0x22, 0x2F, 0x5C: units.append(byte)
    case UInt8(ascii: "b"): units.append(0x08)
    case UInt8(ascii: "f"): units.append(0x0C)
    case UInt8(ascii: "n"): units.append(0x0A)
    case UInt8(ascii: "r"): units.append(0x0D)
    case UInt8(ascii: "t"): units.append(0x09)
    case UInt8(ascii: "u"): units += Array(String(try escapedScalar()).utf8)
    default: throw wrong("no such escape")
    }
  }

  private mutating func escapedScalar() throws(ExchangeError) -> Character {
    let first = try fourHexadecimals()
    var code = first
    if 0xD800..<0xDC00 ~= first {
      guard next == 0x5C, place + 1 < bytes.count, bytes[place + 1] == UInt8(ascii: "u") else {
        throw wrong("half a character")
      }
      place += 2
      let second = try fourHexadecimals()
      guard 0xDC00..<0xE000 ~= second else { throw wrong("half a character") }
      code = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw wrong("half a character") }
    return Character(scalar)
  }

  private mutating func fourHexadecimals() throws(ExchangeError) -> UInt32 {
    guard bytes.count - place >= 4 else { throw wrong("the text ends") }
    let text = String(decoding: bytes[place..<place + 4], as: UTF8.self)
    guard text.allSatisfy(\.isHexDigit), let code = UInt32(text, radix: 16) else {
      throw wrong("no hexadecimal digits")
    }
    place += 4
    return code
  }
}

/// Writes JSON into bytes. Names and words must need no escapes; texts may be anything.
package struct JSONText: Sendable {
  private(set) var bytes: [UInt8] = []
  private var needsComma = false

  init() {}

  mutating func open(_ name: StaticString? = nil) {
    comma()
    if let name { label(name) }
    bytes.append(UInt8(ascii: "{"))
    needsComma = false
  }

  mutating func close() {
    bytes.append(UInt8(ascii: "}"))
    needsComma = true
  }

  mutating func member(_ name: StaticString, _ text: some StringProtocol) {
    comma()
    label(name)
    append(quoted: text)
    needsComma = true
  }

  mutating func member(_ name: StaticString, _ number: UInt64) {
    comma()
    label(name)
    bytes.append(decimal: number)
    needsComma = true
  }

  mutating func member(_ name: StaticString, _ value: Bool) {
    comma()
    label(name)
    bytes.append(static: value ? "true" : "false")
    needsComma = true
  }

  mutating func openArray(_ name: StaticString) {
    comma()
    label(name)
    bytes.append(UInt8(ascii: "["))
    needsComma = false
  }

  mutating func closeArray() {
    bytes.append(UInt8(ascii: "]"))
    needsComma = true
  }

  mutating func element(_ text: some StringProtocol) {
    comma()
    append(quoted: text)
    needsComma = true
  }

  /// A value that is JSON already.
  mutating func member(_ name: StaticString, json: [UInt8]) {
    comma()
    label(name)
    bytes += json
    needsComma = true
  }

  private mutating func append(quoted text: some StringProtocol) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 { bytes.appendJSON(escaping: byte) }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func comma() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
  }

  private mutating func label(_ name: StaticString) {
    bytes.append(UInt8(ascii: "\""))
    bytes.append(static: name)
    bytes.append(static: "\":")
  }
}

extension [UInt8] {
  mutating func append(static text: StaticString) {
    text.withUTF8Buffer { append(contentsOf: $0) }
  }

  mutating func append(decimal number: UInt64) {
    var width = 1
    var rest = number / 10
    while rest > 0 {
      width += 1
      rest /= 10
    }
    append(digitsOf: number, width: width)
  }

  /// The last `width` decimal digits of `number`, with leading zeros.
  mutating func append(digitsOf number: UInt64, width: Int) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: width) { digits in
      var rest = number
      for index in stride(from: width - 1, through: 0, by: -1) {
        digits[index] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      }
      append(contentsOf: digits)
    }
  }

  fileprivate mutating func appendJSON(escaping byte: UInt8) {
    switch byte {
    case 0x22, 0x5C:
      append(0x5C)
      append(byte)
    case 0..<0x20:
      let digits = Array("0123456789abcdef".utf8)
      append(static: "\\u00")
      append(digits[Int(byte >> 4)])
      append(digits[Int(byte & 15)])
    default: append(byte)
    }
  }
}

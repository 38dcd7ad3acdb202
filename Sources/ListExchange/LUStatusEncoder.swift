package import DeviceLists

/// Writes answers to questions for the status of devices.
///
/// Kept from one answer to the next, it remembers how verdicts are written: millions share few.
package struct LUStatusEncoder: Sendable {
  private static let mostRemembered = 1_024

  private var bytes: [UInt8] = []
  private var needsComma = false
  private var remembered: [UInt64: [UInt8]] = [:]
  private var last: (key: UInt64, text: [UInt8])?

  package init() {}

  /// The answer to one question.
  package mutating func one(
    _ verdict: Verdict, epoch: Epoch, position: Position, validUntil: Instant
  ) -> [UInt8] {
    var answer: [UInt8] = []
    answer.reserveCapacity(256)
    answer += text(of: verdict)
    answer += Array(",\"validUntil\":\"\(validUntil)\",\"epoch\":\"\(epoch)\",\"position\":".utf8)
    answer.append(decimal: position.number)
    answer.append(UInt8(ascii: "}"))
    return answer
  }

  /// Begins the answer to many.
  package mutating func open(count: Int, epoch: Epoch, position: Position, validUntil: Instant) {
    bytes.removeAll(keepingCapacity: true)
    bytes.reserveCapacity(192 + count * 64)
    bytes += Array("{\"epoch\":\"\(epoch)\",\"position\":\(position),\"validUntil\":\"".utf8)
    bytes += Array("\(validUntil)\",\"answers\":[".utf8)
    needsComma = false
  }

  /// The next answer, in the order of the questions.
  package mutating func append(_ verdict: Verdict) {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
    bytes += text(of: verdict)
    bytes.append(UInt8(ascii: "}"))
  }

  /// The whole answer to many.
  package mutating func close() -> [UInt8] {
    bytes.append(static: "]}")
    defer { bytes = [] }
    return bytes
  }

  /// An object without its end.
  private mutating func text(of verdict: Verdict) -> [UInt8] {
    let key =
      verdict.codes.rawValue << 8 | UInt64(verdict.rule.rawValue) << 2 | verdict.answer.number
    if let last, last.key == key { return last.text }
    let text = remembered[key] ?? Self.text(of: verdict)
    if remembered.count < Self.mostRemembered { remembered[key] = text }
    last = (key, text)
    return text
  }

  private static func text(of verdict: Verdict) -> [UInt8] {
    var text = JSONText()
    text.open()
    LUStatusVerdict(verdict).write(into: &text)
    return text.bytes
  }
}

extension CheckAnswer {
  fileprivate var number: UInt64 {
    switch self {
    case .white: 0
    case .grey: 1
    case .black: 2
    case .unknown: 3
    }
  }
}

import DeviceIdentity
package import DeviceLists

/// What a local entry is about, as people write it: a TAC, an IMEI, or a range of IMEIs.
package struct LocalSubject: Hashable, Sendable, CustomStringConvertible {
  static let advice =
    "a TAC of 8 digits, an IMEI of 14 digits or of 15 with its check digit, or a range of two "
    + "IMEIs of 14 digits, FIRST-LAST"

  /// As many as one TAC has. What blocks more is said twice, or it is a slip.
  static let mostDevices: UInt64 = 1_000_000

  package let range: IMEIRange
  /// A TAC with 8 digits, an IMEI with 14, a range as two IMEIs.
  package let description: String

  package init?(_ text: some StringProtocol) {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false)
    if ends.count == 2, ends.allSatisfy({ $0.utf8.count == 14 }) {
      guard let first = try? IMEI(signalled: ends[0]), let last = try? IMEI(signalled: ends[1])
      else { return nil }
      self.init(first...max(first, last), isSound: first <= last) { "\($0)" }
    } else if text.utf8.count == 8, let tac = try? TAC(text) {
      self.init(tac.imeis) { _ in tac.description }
    } else if text.utf8.count == 14 {
      guard let imei = try? IMEI(signalled: text) else { return nil }
      self.init(imei...imei) { "\($0.first)" }
    } else {
      guard let imei = try? IMEI(dialled: text) else { return nil }
      self.init(imei...imei) { "\($0.first)" }
    }
  }

  var deviceCount: UInt64 { range.last.number - range.first.number + 1 }
  var isWide: Bool { deviceCount > Self.mostDevices }

  /// As an entry of the settings says it.
  init(_ range: IMEIRange) {
    self.range = range
    let tac = range.first.tac
    description =
      if range.first == range.last {
        range.first.description
      } else if tac.imeis == range.first...range.last {
        tac.description
      } else {
        range.description
      }
  }

  private init?(
    _ imeis: ClosedRange<IMEI>, isSound: Bool = true, _ describe: (IMEIRange) -> String
  ) {
    guard isSound, let range = IMEIRange(first: imeis.lowerBound, last: imeis.upperBound) else {
      return nil
    }
    self.range = range
    description = describe(range)
  }
}

/// One software version or consecutive ones: SVN 00 to 99. TS 23.003, 6.2.2.
package struct SoftwareVersions: Hashable, Sendable, CustomStringConvertible {
  static let advice = "two digits NN, or a range NN-NN"

  package let numbers: ClosedRange<UInt8>

  init(_ numbers: ClosedRange<UInt8>) { self.numbers = numbers }

  package init?(_ text: some StringProtocol) {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false)
    let numbers = ends.compactMap { end in
      end.utf8.count == 2 && end.utf8.allSatisfy { 0x30...0x39 ~= $0 } ? UInt8(end) : nil
    }
    guard (1...2).contains(ends.count), numbers.count == ends.count else { return nil }
    guard let first = numbers.first, let last = numbers.last, first <= last else { return nil }
    self.numbers = first...last
  }

  package var description: String {
    let (first, last) = (Self.digits(numbers.lowerBound), Self.digits(numbers.upperBound))
    return first == last ? first : "\(first)-\(last)"
  }

  private static func digits(_ number: UInt8) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

/// The name of a local entry: `L17`, so that no TAC looks like one.
package struct LocalID: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let number: Int

  init(number: Int) { self.number = number }

  package init?(_ text: some StringProtocol) {
    guard text.first == "L", text.utf8.count <= 10, let number = Int(text.dropFirst()), number > 0,
      "L\(number)" == text
    else { return nil }
    self.number = number
  }

  package static func < (left: LocalID, right: LocalID) -> Bool { left.number < right.number }

  package var description: String { "L\(number)" }
}

/// A value that is one text in JSON.
protocol TextCodable: Codable, CustomStringConvertible {
  init?(text: String)
}

extension TextCodable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let value = Self(text: try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "no \(Self.self)")
    }
    self = value
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension LocalSubject: TextCodable {
  package init?(text: String) { self.init(text) }
}

extension SoftwareVersions: TextCodable {
  package init?(text: String) { self.init(text) }
}

extension LocalID: TextCodable {
  package init?(text: String) { self.init(text) }
}

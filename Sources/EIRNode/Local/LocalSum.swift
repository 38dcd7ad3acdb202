import Crypto

/// The checksum at the end of a line of local entries: without it a changed digit could make
/// another device black, or end another entry than the one that was meant.
enum LocalSum {
  private static let mark = Array(#","sum":""#.utf8)
  private static let end = Array(#""}"#.utf8)
  private static let endWithoutSum = Array("}}".utf8)
  private static let byteCount = 8
  private static let starts = [#"{"added":{"#, #"{"ended":{"#].map { Array($0.utf8) }

  /// - Parameter object: a JSON object with something in it.
  static func added(to object: [UInt8]) -> [UInt8] {
    object.dropLast() + mark + digits(of: object) + end
  }

  /// Also where there is none: lines were once written without, and ended otherwise.
  static func isRight(_ line: some BidirectionalCollection<UInt8>) -> Bool {
    let sum = mark.count + 2 * byteCount + end.count
    let tail = Array(line.suffix(sum))
    guard tail.count == sum, tail.starts(with: mark) else {
      return line.suffix(endWithoutSum.count).elementsEqual(endWithoutSum)
    }
    let object = Array(line.dropLast(sum)) + [UInt8(ascii: "}")]
    return tail[mark.count...].elementsEqual(digits(of: object) + end)
  }

  /// What a file ends in, behind its last end of a line.
  enum OpenEnd {
    /// How a line begins, or nothing.
    case cutOff
    /// A whole line, but for its end.
    case whole
    /// Nothing that a crash could have left of one line.
    case damaged
  }

  static func openEnd(_ bytes: ArraySlice<UInt8>, longest: Int) -> OpenEnd {
    let isBegun = starts.contains { start in
      bytes.starts(with: start.prefix(bytes.count))
    }
    // Control characters are always escaped.
    guard isBegun, bytes.count <= longest, bytes.allSatisfy({ $0 >= 0x20 }) else {
      return bytes.isEmpty ? .cutOff : .damaged
    }
    guard let place = bytes.firstRange(of: mark)?.lowerBound else { return .cutOff }
    let rest = bytes.endIndex - place
    let whole = mark.count + 2 * byteCount + end.count
    guard rest >= whole else { return .cutOff }
    return rest == whole && isRight(bytes) ? .whole : .damaged
  }

  private static func digits(of object: [UInt8]) -> [UInt8] {
    SHA256.hash(data: object).prefix(byteCount).flatMap { byte in
      [byte >> 4, byte & 0xF].map { Array("0123456789abcdef".utf8)[Int($0)] }
    }
  }
}

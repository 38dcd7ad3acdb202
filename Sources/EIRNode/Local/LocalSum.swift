import Crypto

/// The checksum at the end of a line of local entries: without it a changed digit could make
/// another device black, or end another entry than the one that was meant.
enum LocalSum {
  private static let mark = Array(#","sum":""#.utf8)
  private static let end = Array(#""}"#.utf8)
  private static let byteCount = 8

  /// - Parameter object: a JSON object with something in it.
  static func added(to object: [UInt8]) -> [UInt8] {
    object.dropLast() + mark + digits(of: object) + end
  }

  /// Also where there is none: lines were once written without.
  static func isRight(_ line: some BidirectionalCollection<UInt8>) -> Bool {
    let sum = mark.count + 2 * byteCount + end.count
    let tail = Array(line.suffix(sum))
    guard tail.count == sum, tail.starts(with: mark) else { return true }
    let object = Array(line.dropLast(sum)) + [UInt8(ascii: "}")]
    return tail[mark.count...].elementsEqual(digits(of: object) + end)
  }

  private static func digits(of object: [UInt8]) -> [UInt8] {
    SHA256.hash(data: object).prefix(byteCount).flatMap { byte in
      [byte >> 4, byte & 0xF].map { Array("0123456789abcdef".utf8)[Int($0)] }
    }
  }
}

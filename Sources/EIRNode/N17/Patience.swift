import DeviceLists
import Foundation
import NIOCore

/// How long the consumer of a service waits for the answer. TS 29.500, 5.2.3.3.2, 5.2.3.3.3 and
/// 6.11.2.
enum Patience {
  /// Kept back, so that the answer is there before the consumer gives up.
  static let marginMilliseconds: Int64 = 10

  /// Nil where the consumer does not say.
  ///
  /// - Parameters:
  ///   - longest: `3gpp-Sbi-Max-Rsp-Time`, milliseconds in up to five digits.
  ///   - sent: `3gpp-Sbi-Sender-Timestamp`. One from which the consumer would have given up already
  ///     is not believed, nor one that is yet to come: then the clocks differ.
  static func left(longest: String?, sent: String?, asOf nowMilliseconds: Int64) -> TimeAmount? {
    guard let longest, (1...5).contains(longest.utf8.count),
      longest.utf8.allSatisfy(isDigit), var left = Int64(longest)
    else { return nil }
    if let sent = sent.flatMap(milliseconds) {
      let passed = nowMilliseconds - sent
      if (0..<left).contains(passed) { left -= passed }
    }
    return .milliseconds(max(left - marginMilliseconds, 0))
  }

  /// Milliseconds since 1970, of the machine's clock.
  static var nowMilliseconds: Int64 {
    Int64(Date().timeIntervalSince1970 * 1_000)
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// `Sun, 04 Aug 2019 08:49:37.845 GMT`, in milliseconds since 1970; nil for anything else.
  static func milliseconds(_ text: String) -> Int64? {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    guard text.utf8.count == 33, words.count == 6, words[5] == "GMT" else { return nil }
    guard let month = months.firstIndex(of: String(words[2])) else { return nil }
    let clock = words[4].split(separator: ".", omittingEmptySubsequences: false)
    guard clock.count == 2, clock[1].utf8.count == 3, clock[1].utf8.allSatisfy(isDigit),
      let thousandths = Int64(clock[1])
    else { return nil }
    let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
    guard let second = Instant("\(words[3])-\(number)-\(words[1])T\(clock[0])Z") else { return nil }
    return second.secondsSinceEpoch * 1_000 + thousandths
  }

  private static func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }
}

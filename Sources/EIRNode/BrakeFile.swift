import DeviceLists
import ListExchange

/// What the brake has counted, kept over a restart: a line for each period, its start in seconds
/// since 1970 and a number.
struct BrakeFile {
  let path: String

  /// An unreadable line is passed over: the brake then counts less, and the node still answers.
  func read(limit: Brake.Limit) throws(NodeError) -> Brake {
    guard let bytes = try SmallFile.content(of: path) else { return Brake(limit: limit) }
    let periods = bytes.split(separator: 0x0A).compactMap { line -> Brake.Period? in
      let parts = String(decoding: line, as: UTF8.self).split(separator: " ")
      guard parts.count == 2, let start = Int64(parts[0]), let added = Int(parts[1]) else {
        return nil
      }
      guard added > 0, added <= Int(UInt32.max) else { return nil }
      return Brake.Period(start: Instant(secondsSinceEpoch: start), added: added)
    }
    return Brake(limit: limit, periods: periods)
  }

  func write(_ brake: Brake) throws(NodeError) {
    let text = brake.periods.map { "\($0.start.secondsSinceEpoch) \($0.added)\n" }.joined()
    try SmallFile.replace(path, with: Array(text.utf8))
  }
}

import DeviceLists

/// Origin-State-Id: greater after every start, also where the clock was set back. RFC 6733, 8.16.
enum OriginState {
  static func next(in directory: String, asOf now: Instant) throws(NodeError) -> UInt32 {
    let path = directory + "/s13.state"
    let text = try SmallFile.content(of: path).map { String(decoding: $0, as: UTF8.self) }
    let last = text.flatMap { UInt32($0) } ?? 0
    let next = max(last &+ 1, UInt32(truncatingIfNeeded: now.secondsSinceEpoch))
    try SmallFile.replace(path, with: Array(String(next).utf8))
    return next
  }
}

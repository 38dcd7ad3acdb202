package import DeviceLists

/// Reads delta after delta from one response: each starts where the one before it ended.
package struct DeltaStreamDecoder {
  private let feed: Feed
  private let limits: ExchangeLimits
  private var decoder: DeltaDecoder

  /// - Parameter after: the position that was asked from.
  package init(feed: Feed, after: Position, limits: ExchangeLimits = ExchangeLimits()) {
    self.feed = feed
    self.limits = limits
    decoder = DeltaDecoder(feed: feed, after: after, limits: limits)
  }

  /// Takes the next bytes, cut anywhere, and hands out the deltas that have come whole. After an
  /// error nothing more may be taken.
  package mutating func append(
    _ bytes: UnsafeRawBufferPointer
  ) throws(ExchangeError) -> [ReceivedDelta] {
    var deltas: [ReceivedDelta] = []
    var rest = bytes
    while !rest.isEmpty {
      let count = try decoder.take(upToEndIn: rest)
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      guard decoder.isComplete else { break }
      let delta = try decoder.finish()
      deltas.append(delta)
      decoder = DeltaDecoder(feed: feed, after: delta.checkpoint.position, limits: limits)
    }
    return deltas
  }

  package mutating func append(_ bytes: [UInt8]) throws(ExchangeError) -> [ReceivedDelta] {
    try bytes.withUnsafeBytes { buffer in
      Result { () throws(ExchangeError) in try append(buffer) }
    }.get()
  }

  /// Whether the response may end here without a delta being cut short.
  package var isBetweenDeltas: Bool { !decoder.isWithin }
}

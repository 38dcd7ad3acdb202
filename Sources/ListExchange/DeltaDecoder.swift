import Crypto
package import DeviceLists

/// A delta that came whole and agrees with its checkpoint.
package struct ReceivedDelta: Hashable, Sendable {
  package let changes: [Change]
  package let checkpoint: Checkpoint

  package init(changes: [Change], checkpoint: Checkpoint) {
    self.changes = changes
    self.checkpoint = checkpoint
  }
}

/// Reads a delta as its bytes arrive. Any error refuses the whole; nothing is handed out before
/// the checkpoint has been read and agrees with every byte before it.
package struct DeltaDecoder {
  private let feed: Feed
  private let after: Position
  private let limits: ExchangeLimits
  private var changes: [Change] = []
  private var checkpoint: Checkpoint?
  private var partial: [UInt8] = []
  private var hash = SHA256()
  private var lineNumber = 0
  private var last: Position

  /// - Parameter after: the position that was asked from; the delta must start there.
  package init(feed: Feed, after: Position, limits: ExchangeLimits = ExchangeLimits()) {
    self.feed = feed
    self.after = after
    self.limits = limits
    last = after
  }

  /// Takes the next bytes, cut anywhere.
  package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(ExchangeError) {
    var rest = bytes[...]
    while let lineFeed = rest.firstIndex(of: 0x0A) {
      let line = rest[..<lineFeed]
      rest = rest[(lineFeed + 1)...]
      if partial.isEmpty {
        try take(UnsafeRawBufferPointer(rebasing: line))
      } else {
        try keep(line)
        let whole = partial
        partial.removeAll(keepingCapacity: true)
        try whole.withUnsafeBytes { buffer in
          Result { () throws(ExchangeError) in try take(buffer) }
        }.get()
      }
    }
    try keep(rest)
  }

  package mutating func append(_ bytes: [UInt8]) throws(ExchangeError) {
    try bytes.withUnsafeBytes { buffer in
      Result { () throws(ExchangeError) in try append(buffer) }
    }.get()
  }

  /// Called once after the last byte.
  package consuming func finish() throws(ExchangeError) -> ReceivedDelta {
    guard partial.isEmpty, let checkpoint else {
      throw ExchangeError(.cutShort, "after line \(lineNumber)")
    }
    return ReceivedDelta(changes: changes, checkpoint: checkpoint)
  }

  private mutating func keep(_ bytes: Slice<UnsafeRawBufferPointer>) throws(ExchangeError) {
    guard partial.count + bytes.count <= limits.longestLineBytes else { throw tooLong() }
    partial += bytes
  }

  private func tooLong() -> ExchangeError {
    ExchangeError(.lineTooLong, "line \(lineNumber + 1), over \(limits.longestLineBytes) bytes")
  }

  private mutating func take(_ line: UnsafeRawBufferPointer) throws(ExchangeError) {
    guard line.count <= limits.longestLineBytes else { throw tooLong() }
    lineNumber += 1
    do throws(ExchangeError) {
      guard checkpoint == nil else {
        throw ExchangeError(.malformed, "something follows the checkpoint")
      }
      let object = try JSONValue(line)
      if let last = object["checkpoint"] {
        checkpoint = try agreed(Checkpoint(last))
      } else {
        try take(ChangeLine.change(object))
        hash.update(bufferPointer: line)
        hash.update(data: [0x0A])
      }
    } catch {
      throw ExchangeError(error.code, "line \(lineNumber): \(error.detail)")
    }
  }

  private mutating func take(_ change: Change) throws(ExchangeError) {
    guard changes.count < limits.mostChanges else {
      throw ExchangeError(.tooManyChanges, "over \(limits.mostChanges)")
    }
    guard feed.contains(change.scope) else {
      throw ExchangeError(.wrongScope, "scope \(change.scope) in the feed of \(feed)")
    }
    guard change.position > last else {
      throw ExchangeError(.wrongOrder, "position \(change.position) after \(last)")
    }
    last = change.position
    changes.append(change)
  }

  private func agreed(_ checkpoint: Checkpoint) throws(ExchangeError) -> Checkpoint {
    guard checkpoint.feed == feed else {
      throw ExchangeError(.wrongFeed, "\(checkpoint.feed) instead of \(feed)")
    }
    guard checkpoint.after == after else {
      throw ExchangeError(.wrongOrder, "starts after \(checkpoint.after) instead of \(after)")
    }
    guard last <= checkpoint.position else {
      throw ExchangeError(.wrongOrder, "position \(last) beyond \(checkpoint.position)")
    }
    guard ContentHash(hash.finalize()) == checkpoint.contentHash else {
      throw ExchangeError(.contentDiffers)
    }
    return checkpoint
  }
}

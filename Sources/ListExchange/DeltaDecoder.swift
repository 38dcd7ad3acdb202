import Crypto
package import DeviceLists

/// A delta that came whole and agrees with its checkpoint.
package struct ReceivedDelta: Hashable, Sendable {
  package let changes: [Change]
  package let checkpoint: Checkpoint
  /// Nil where nobody has signed: see ``signed()``.
  package let signature: CheckpointSignature?

  package init(
    changes: [Change], checkpoint: Checkpoint, signature: CheckpointSignature? = nil
  ) {
    self.changes = changes
    self.checkpoint = checkpoint
    self.signature = signature
  }

  /// The checkpoint with its signature, which is to be verified before anything else is believed;
  /// an unsigned one is refused.
  package func signed() throws(ExchangeError) -> SignedCheckpoint {
    guard let signature else { throw ExchangeError(.unsigned) }
    return SignedCheckpoint(checkpoint: checkpoint, signature: signature)
  }
}

/// Reads a delta as its bytes arrive. Any error refuses the whole; nothing is handed out before
/// the checkpoint has been read and agrees with every byte before it.
package struct DeltaDecoder {
  private enum Line {
    case change(Change)
    case checkpoint(Checkpoint, CheckpointSignature?)
  }

  private let feed: Feed
  /// Nil: wherever the delta says that it starts.
  private let after: Position?
  private let limits: ExchangeLimits
  private var changes: [Change] = []
  private var checkpoint: Checkpoint?
  private var signature: CheckpointSignature?
  private var usual: UsualLine
  private var partial: [UInt8] = []
  private var hash = SHA256()
  private var lineNumber = 0
  private var last: Position

  /// - Parameter after: the position that was asked from, where the delta must start; nil for a
  ///   broadcast, which nobody has asked for.
  package init(feed: Feed, after: Position?, limits: ExchangeLimits = ExchangeLimits()) {
    self.feed = feed
    self.after = after
    self.limits = limits
    usual = UsualLine(feed: feed)
    last = after ?? .start
  }

  /// Takes the next bytes, cut anywhere.
  package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(ExchangeError) {
    guard try take(upToEndIn: bytes) == bytes.count else {
      throw ExchangeError(
        .malformed, "line \(lineNumber + 1): something follows the checkpoint")
    }
  }

  /// The checkpoint has been read and agrees with the lines before it.
  var isComplete: Bool { checkpoint != nil }

  /// Something of a delta has come, but not all.
  var isWithin: Bool { !isComplete && (lineNumber > 0 || !partial.isEmpty) }

  /// Takes the bytes up to the end of the delta and says how many those are.
  mutating func take(upToEndIn bytes: UnsafeRawBufferPointer) throws(ExchangeError) -> Int {
    var start = 0
    while !isComplete, let end = Self.lineFeed(in: bytes, from: start) {
      let line = UnsafeRawBufferPointer(rebasing: bytes[start...end])
      start = end + 1
      if partial.isEmpty {
        try take(line)
      } else {
        try keep(line)
        let whole = partial
        partial.removeAll(keepingCapacity: true)
        try whole.withUnsafeBytes { buffer in
          Result { () throws(ExchangeError) in try take(buffer) }
        }.get()
      }
    }
    if isComplete { return start }
    try keep(UnsafeRawBufferPointer(rebasing: bytes[start...]))
    return bytes.count
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
    return ReceivedDelta(changes: changes, checkpoint: checkpoint, signature: signature)
  }

  private static func lineFeed(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
    var index = start
    while index < bytes.count {
      if bytes[index] == 0x0A { return index }
      index += 1
    }
    return nil
  }

  private mutating func keep(_ bytes: UnsafeRawBufferPointer) throws(ExchangeError) {
    guard partial.count + bytes.count <= limits.longestLineBytes + 1 else { throw tooLong() }
    partial += bytes
  }

  private func tooLong() -> ExchangeError {
    ExchangeError(.lineTooLong, "line \(lineNumber + 1), over \(limits.longestLineBytes) bytes")
  }

  /// - Parameter line: with its line feed.
  private mutating func take(_ line: UnsafeRawBufferPointer) throws(ExchangeError) {
    guard line.count <= limits.longestLineBytes + 1 else { throw tooLong() }
    lineNumber += 1
    do throws(ExchangeError) {
      switch try read(line) {
      case .change(let change):
        try take(change)
        hash.update(bufferPointer: line)
      case .checkpoint(let last, let signature):
        checkpoint = try agreed(last)
        self.signature = signature
      }
    } catch {
      throw ExchangeError(error.code, "line \(lineNumber): \(error.detail)")
    }
  }

  private mutating func read(_ line: UnsafeRawBufferPointer) throws(ExchangeError) -> Line {
    if let change = usual.change(line) { return .change(change) }
    let object = try JSONValue(line)
    if let last = object["checkpoint"] {
      return .checkpoint(try Checkpoint(last), try CheckpointSignature(in: last))
    }
    let change = try ChangeLine.change(object)
    usual.learn(line, change)
    return .change(change)
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
    let start = after ?? checkpoint.after
    guard checkpoint.after == start else {
      throw ExchangeError(.wrongOrder, "starts after \(checkpoint.after) instead of \(start)")
    }
    guard changes.first.map({ $0.position > start }) ?? true else {
      throw ExchangeError(.wrongOrder, "a change at or before \(start)")
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

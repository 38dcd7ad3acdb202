import NIOCore

/// A stream that is not over with the burst that opened it.
struct HTTP2Stream {
  enum Phase {
    /// The body is coming.
    case receiving
    /// The answer is made elsewhere.
    case awaiting
    /// The answer is out, or waits for the peer's windows.
    case answered
  }

  var request: CheckRequest
  var phase: Phase
  /// Since when the answer is made elsewhere.
  var awaitingSince = NIODeadline.uptimeNanoseconds(0)
  /// The peer has ended its side.
  var isRemoteDone: Bool
  /// What the peer may send.
  var receiveWindow: Int
  /// What we may send; negative where the peer has lowered its initial window.
  var sendWindow: Int
  /// What `content-length` announced and has not come.
  var bytesToCome: Int?
  /// Of a body that is not wanted.
  var droppedBytes = 0
  var unsent: ByteBuffer?

  var isHead: Bool { request.method == "HEAD" }
  var isLocalDone: Bool { phase == .answered && unsent == nil }

  /// Returns whether the peer keeps to its window.
  mutating func takeWindow(_ bytes: Int) -> Bool {
    guard bytes <= receiveWindow else { return false }
    receiveWindow -= bytes
    return true
  }

  /// Returns whether the length announced is kept so far, and at the end.
  mutating func counts(_ bytes: Int, isLast: Bool) -> Bool {
    guard let left = bytesToCome else { return true }
    bytesToCome = left - bytes
    return isLast ? left == bytes : left >= bytes
  }
}

/// Counts what a peer may do only so often.
struct RateLimit {
  private let countMax: Int
  private let window: TimeAmount
  private var count = 0
  private var since = NIODeadline.now()

  init(_ countMax: Int, in window: TimeAmount) {
    self.countMax = countMax
    self.window = window
  }

  mutating func count(asOf now: NIODeadline = .now()) throws(HTTP2Failure) {
    if now - since > window {
      since = now
      count = 0
    }
    count += 1
    guard count <= countMax else { throw HTTP2Failure(.enhanceYourCalm) }
  }
}

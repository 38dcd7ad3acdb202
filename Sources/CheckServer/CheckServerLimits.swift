package import NIOCore

/// Every limit on what a peer may ask of the listener, by name.
package struct CheckServerLimits: Sendable {
  /// Connections open at once; what is asked over the next ones is answered 503.
  package var connections = 4_096
  /// Connections that are told so at once; the next is closed as soon as it is accepted.
  package var turnedAway = 256
  /// How long such a connection may take.
  package var turnAway: TimeAmount = .seconds(5)
  /// SETTINGS_MAX_CONCURRENT_STREAMS. RFC 9113, 6.5.2.
  package var concurrentStreams = 128
  /// A path with its query beyond this many bytes is answered 414.
  package var targetBytes = 4_096
  /// All header names and values of one request, with 32 bytes for each line: beyond it the answer
  /// is 431. RFC 9113, 6.5.2.
  package var headerListBytes = 16_384
  /// What is still read of a header list that is too long; beyond it the connection ends, since
  /// over HTTP/2 the table that both sides keep is lost with it.
  package var readHeaderListBytes = 65_536
  /// Frames of one header block: HEADERS and its CONTINUATION.
  package var headerFrames = 8
  /// Header lines of one request over HTTP/1.1.
  package var headerLines = 64
  /// A body beyond this many bytes is answered 413.
  package var bodyBytes = 1 << 20
  /// What is still taken, and dropped, of a refused body before its stream is reset: many clients
  /// read no answer before they have sent all.
  package var droppedBodyBytes = 16 << 20
  /// Incomplete bodies held for one connection; a stream that exceeds it is answered 503.
  package var bufferedBodyBytes = 8 << 20
  /// Answers that wait for the peer's windows on one connection; beyond it 503 is answered.
  package var unsentAnswerBytes = 8 << 20
  /// What a peer may send before it must wait for our WINDOW_UPDATE.
  package var connectionWindowBytes = 1 << 20
  package var streamWindowBytes = 1 << 18
  /// Bytes that the kernel has not taken yet; beyond them nothing more is read.
  package var unwrittenBytes = 1 << 18
  /// RST_STREAM frames from a peer in ``rateWindow`` (rapid reset, CVE-2023-44487).
  package var resets = 1_000
  /// PING, SETTINGS and PRIORITY frames from a peer in ``rateWindow``.
  package var controlFrames = 1_000
  /// Malformed requests from a peer in ``rateWindow``.
  package var streamErrors = 200
  package var rateWindow: TimeAmount = .seconds(30)
  /// A connection that has not said which protocol it speaks.
  package var preface: TimeAmount = .seconds(10)
  /// A connection over which nothing comes (HTTP/2), or no whole request (HTTP/1.1).
  package var idle: TimeAmount = .minutes(10)
  /// A peer that neither reads our answers nor completes its requests.
  package var stall: TimeAmount = .seconds(30)
  /// How long a ``CheckReply/later(_:)`` may take; then the answer is 504.
  package var answer: TimeAmount = .seconds(30)
  /// How long a closing connection still reads, so that the last answer is not lost to a reset.
  package var linger: TimeAmount = .seconds(1)
  /// How long ``CheckServer/shutdown()`` waits for requests in flight.
  package var drain: TimeAmount = .seconds(10)

  package init() {}

  var connection: StreamLimits {
    var limits = StreamLimits()
    limits.connections = connections
    limits.turnedAway = turnedAway
    limits.turnAway = turnAway
    limits.unwrittenBytes = unwrittenBytes
    limits.idle = idle
    limits.stall = stall
    limits.linger = linger
    limits.drain = drain
    limits.tick = StreamLimits.tick(for: min(preface, idle, stall, answer))
    return limits
  }
}

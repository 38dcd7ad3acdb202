package import NIOCore

/// What a connection may cost, whatever is spoken on it.
package struct StreamLimits: Sendable {
  /// Connections open at once; the next is closed as soon as it is accepted.
  package var connections = 4_096
  /// Connections beyond them that are told so at once, where the protocol has words for it.
  package var turnedAway = 256
  /// How long such a connection may take.
  package var turnAway: TimeAmount = .seconds(5)
  /// Bytes that the kernel has not taken yet; beyond them nothing more is read.
  package var unwrittenBytes = 1 << 18
  /// A connection over which nothing comes is asked to finish, and closed ``stall`` later.
  package var idle: TimeAmount = .minutes(10)
  /// A peer that does not read what it is sent.
  package var stall: TimeAmount = .seconds(30)
  /// How long a closing connection still reads, so that the last answer is not lost to a reset.
  package var linger: TimeAmount = .seconds(1)
  /// How long the end of the listener waits for its connections.
  package var drain: TimeAmount = .seconds(10)
  /// How often a connection looks at its clocks.
  package var tick: TimeAmount = .milliseconds(7_500)

  package init() {}

  /// Often enough for the shortest of the waits that it is to notice.
  package static func tick(for shortest: TimeAmount) -> TimeAmount {
    .nanoseconds(max(shortest.nanoseconds / 4, 10_000_000))
  }
}

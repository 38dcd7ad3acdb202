package import NIOCore

/// Tells whether a peer is still there. RFC 3539, 3.4.1, for the side that answers requests: after
/// a silence it is asked, after a second it is suspect, after a third it is gone.
package struct PeerWatchdog: Sendable {
  package enum Action: Hashable, Sendable { case none, ask, close }

  /// RFC 3539, 3.4.1: never shorter than six seconds, with two seconds of chance.
  package static let shortest = TimeAmount.seconds(6)
  private static let chance = TimeAmount.seconds(2)

  private let interval: TimeAmount
  private var wait: TimeAmount
  private var since: NIODeadline
  /// Asked and not yet answered.
  private var isPending = false
  private var isSuspect = false

  /// - Parameter interval: Tw.
  package init(
    interval: TimeAmount, asOf now: NIODeadline, using chance: inout some RandomNumberGenerator
  ) {
    self.interval = interval
    since = now
    wait = Self.drawn(interval, using: &chance)
  }

  /// Something came from the peer.
  package mutating func heard(asOf now: NIODeadline) {
    since = now
    isSuspect = false
  }

  /// The peer has answered the watchdog.
  package mutating func answered() { isPending = false }

  package mutating func tick(
    asOf now: NIODeadline, using chance: inout some RandomNumberGenerator
  ) -> Action {
    guard now - since >= wait else { return .none }
    since = now
    wait = Self.drawn(interval, using: &chance)
    guard isPending else {
      isPending = true
      return .ask
    }
    if isSuspect { return .close }
    isSuspect = true
    return .none
  }

  private static func drawn(
    _ interval: TimeAmount, using generator: inout some RandomNumberGenerator
  ) -> TimeAmount {
    let range = -chance.nanoseconds...chance.nanoseconds
    return interval + .nanoseconds(Int64.random(in: range, using: &generator))
  }
}

/// How much one node may ask of the registry, and how long the registry waits for it.
package struct NodeLimits: Sendable {
  /// What is saved up in quiet times may be used at once, up to a limit.
  package struct Rate: Hashable, Sendable {
    package var perSecond: Double
    /// Saved up at most.
    package var burst: Double

    package init(perSecond: Double, burst: Double) {
      self.perSecond = perSecond
      self.burst = burst
    }
  }

  /// Requests of every kind.
  package var requests = Rate(perSecond: 2_000, burst: 10_000)
  /// Messages that change something.
  package var messages = Rate(perSecond: 100, burst: 1_000)
  /// Messages of one operator that are being worked on, and so connections to the database that it
  /// may hold.
  package var messagesAtOnce = 6
  /// Of bodies that one node is sending, or that are being worked on.
  package var bodyBytesAtOnce = 64 << 20
  /// How long one piece of an answer may stay untaken: a reader slower than a piece in this time is
  /// dropped.
  package var readerPatience = Duration.seconds(30)

  package init() {}
}

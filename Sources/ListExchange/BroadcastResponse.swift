/// A node's answer to a broadcast that it has taken.
package struct BroadcastResponse: Hashable, Sendable {
  package enum State: String, Hashable, Sendable, CaseIterable {
    /// On disk: ``BroadcastResponse/standing`` is what the broadcast led to.
    case applied
    /// Taken; an ``Acknowledgement`` follows when it is on disk.
    case accepted
  }

  package var state: State
  /// Where the node stands now; nil where it has no list yet.
  package var standing: Standing?
  package var held: Int

  package init(state: State, standing: Standing?, held: Int) {
    self.state = state
    self.standing = standing
    self.held = held
  }
}

extension BroadcastResponse: JSONMessage {
  package func write(into text: inout JSONText) {
    standing?.write(into: &text)
    text.member("held", UInt64(clamping: held))
    text.member("state", state.rawValue)
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    state = try object.word("state") { State(rawValue: $0) }
    standing = try Standing.optional(in: object)
    held = try object.count("held", 0...Int.max)
    guard standing != nil || state == .accepted else {
      throw ExchangeError(.malformed, "applied, but not where")
    }
  }
}

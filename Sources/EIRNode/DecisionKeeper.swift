import DeviceIdentity
package import DeviceLists
import Synchronization

/// By what a node decides at present. Never changed: another takes its place.
package final class DecisionInForce: Sendable {
  /// As they are in effect, which is not always as they were read last.
  package let settings: NodeSettings
  /// Decides by the settings and the local entries.
  package let engine: DecisionEngine
  package let reading: SettingsReading
  package let local: LocalCounts

  fileprivate init(_ settings: NodeSettings, _ reading: SettingsReading, _ book: LocalBook) {
    var decision = settings.decision
    let ofSettings = decision.localBlack.entries
    decision.localBlack = LocalBlackList(entries: ofSettings + book.blacks)
    self.settings = settings
    self.reading = reading
    engine = DecisionEngine(settings: decision)
    local = LocalCounts(
      entries: book.inForceCount, suspended: book.suspendedCount, ofSettings: ofSettings.count,
      damagedLines: book.damagedLines)
  }
}

/// How many entries the operator's own black list has.
package struct LocalCounts: Hashable, Codable, Sendable {
  package var entries: Int
  /// Of those that stand before a damaged line; they make nothing black.
  package var suspended: Int
  package var ofSettings: Int
  /// Of their file; they count for nothing.
  package var damagedLines: Int

  static let advice = "`eir local list` shows them: end each, or add it again"
}

/// Settings and local entries, of which one immutable value is in force at a time. Changes follow
/// one another and may wait for the disk, so they are made on threads that may wait; checks take
/// ``current`` and never wait for them.
package final class DecisionKeeper: Sendable {
  private struct State {
    var settings: NodeSettings
    var reading: SettingsReading
    var book: LocalBook
  }

  private let state: Mutex<State>
  /// Held for as long as it takes to count one reference.
  private let published: Mutex<DecisionInForce>

  package init(settings: NodeSettings, asOf now: Instant) throws(NodeError) {
    let book = try LocalBook(directory: settings.directory)
    let reading = SettingsReading(settings, asOf: now)
    state = Mutex(State(settings: settings, reading: reading, book: book))
    published = Mutex(DecisionInForce(settings, reading, book))
  }

  package var current: DecisionInForce { published.withLock { $0 } }

  /// When `body` throws, what was in force stays so.
  private func change<Value>(
    _ body: (inout State) throws(NodeError) -> Value
  ) throws(NodeError) -> Value {
    try state.withLock { (state) throws(NodeError) in
      defer {
        let next = DecisionInForce(state.settings, state.reading, state.book)
        // What was in force before is given back after the lock, however large it is.
        _ = published.withLock { current in
          let before = current
          current = next
          return before
        }
      }
      return try body(&state)
    }
  }

  /// Takes what takes effect at once from settings that were read again.
  func take(_ read: NodeSettings, asOf now: Instant) throws(NodeError) -> ReloadReport {
    try change { (state) throws(NodeError) in
      let report = ReloadReport(from: state.settings, to: read, asOf: now)
      state.settings.take(read)
      state.reading = SettingsReading(report)
      return report
    }
  }

  /// Settings that were read again make no sense; those in force stay.
  func refused(_ error: SettingsError, asOf now: Instant) throws(NodeError) {
    try change { (state) throws(NodeError) in
      state.reading.refusedAt = now.description
      state.reading.refusal = error.sentences
    }
  }
}

// MARK: - Local entries

extension DecisionKeeper {
  package func add(_ order: LocalOrder, asOf now: Instant) throws(NodeError) -> LocalEntry {
    try change { (state) throws(NodeError) in try state.book.add(order, asOf: now) }
  }

  /// - Parameter name: of an entry, or a subject: then all that are about it end.
  package func end(
    _ name: String, _ author: LocalAuthor, asOf now: Instant
  ) throws(NodeError) -> [LocalEntry] {
    try change { (state) throws(NodeError) in try state.book.end(name, author, asOf: now) }
  }

  /// Those of the settings first, then the others by their age.
  package func entries(_ question: LocalQuestion) -> LocalPage {
    let after = question.after?.number ?? 0
    return state.withLock { state in
      var page: [LocalEntry] = []
      if question.after == nil {
        page = state.settings.decision.localBlack.entries.map { LocalEntry(ofSettings: $0) }
      }
      let rest = state.book.entries.lazy.filter { entry in
        (question.isWithEnded || entry.ended == nil) && entry.id?.number ?? 0 > after
      }
      page += rest.prefix(LocalPage.mostEntries + 1)
      return LocalPage(page)
    }
  }

  package func entry(named text: String) throws(NodeError) -> LocalEntry {
    guard let entry = LocalID(text).flatMap({ id in state.withLock { $0.book[id] } }) else {
      throw NodeError(.settings, "there is no local entry of that name, such as L17")
    }
    return entry
  }

  /// The entries by which a device is black, and those suspended, for a person who asks.
  func entries(matching device: IMEISV) -> [LocalEntry] {
    state.withLock { state in
      let ofSettings = state.settings.decision.localBlack.entries.filter { $0.matches(device) }
      return ofSettings.map { LocalEntry(ofSettings: $0) }
        + state.book.entries.filter { $0.ended == nil && $0.black.matches(device) }
    }
  }
}

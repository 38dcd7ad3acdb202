package import DeviceLists

/// Counts the devices and kinds of device that became black in the last 24 hours and says when they
/// are more than a mistake should be able to block.
package struct Brake: Hashable, Sendable {
  /// How many may become black in 24 hours.
  package struct Limit: Hashable, Sendable {
    /// At least so many, however short the list.
    package var least: Int
    /// Of the entries on the list, in thousandths of a percent: 500 is 0.5 %.
    package var listShare: Int

    package init(least: Int = 1_000, listShare: Int = 500) {
      self.least = least
      self.listShare = listShare
    }

    package func count(listEntries: Int) -> Int {
      max(
        least,
        listEntries.multipliedFullWidth(by: listShare).high > 0
          ? .max : listEntries * listShare / 100_000)
    }
  }

  package enum Decision: Hashable, Sendable {
    case pass
    /// What it made black answers as before until a person accepts it.
    case hold
  }

  /// The blacks that were added in the period that starts at a moment.
  package struct Period: Hashable, Sendable {
    package let start: Instant
    package var added: Int

    package init(start: Instant, added: Int) {
      self.start = start
      self.added = added
    }
  }

  package static let windowSeconds: Int64 = 86_400
  package static let periodSeconds: Int64 = 300

  package var limit: Limit
  /// Oldest first, none older than a day.
  package private(set) var periods: [Period]

  package init(limit: Limit, periods: [Period] = []) {
    self.limit = limit
    self.periods = periods
  }

  /// Added in the 24 hours before `now`, by whole periods: never too few.
  package func added(asOf now: Instant) -> Int {
    periods.reduce(0) { sum, period in
      Self.counts(period, asOf: now) ? sum + period.added : sum
    }
  }

  /// Whether a delta that makes `added` subjects black may take effect at once. Nothing black is
  /// never held.
  package func decide(added: Int, listEntries: Int, asOf now: Instant) -> Decision {
    guard added > 0 else { return .pass }
    return self.added(asOf: now) + added > limit.count(listEntries: listEntries) ? .hold : .pass
  }

  /// A delta that made `added` subjects black is on disk, held or not.
  package mutating func applied(added: Int, asOf now: Instant) {
    guard added > 0 else { return }
    periods.removeAll { !Self.counts($0, asOf: now) }
    let start = Instant(
      secondsSinceEpoch: now.secondsSinceEpoch / Self.periodSeconds * Self.periodSeconds)
    if let last = periods.indices.last, periods[last].start >= start {
      periods[last].added += added
    } else {
      periods.append(Period(start: start, added: added))
    }
  }

  /// So many of those that were counted are of an approved mass change: they count no more. The
  /// oldest go first, so that what is left counts no shorter than it should.
  package mutating func excused(_ count: Int) {
    var left = count
    for index in periods.indices where left > 0 {
      let taken = min(left, periods[index].added)
      periods[index].added -= taken
      left -= taken
    }
    periods.removeAll { $0.added == 0 }
  }

  /// A person has looked: counting starts anew.
  package mutating func accepted() { periods = [] }

  /// A period in the future counts too: the clock was put back.
  private static func counts(_ period: Period, asOf now: Instant) -> Bool {
    now.seconds(since: period.start) < windowSeconds + periodSeconds
  }
}

extension Brake {
  /// The subjects that a delta makes black, each with the position that did so.
  ///
  /// - Parameter before: what the feed says of a subject at present.
  package static func blacks(
    madeBy changes: some Sequence<Change>, before: (Subject) -> ListedClass
  ) -> [Subject: Position] {
    var listed: [Subject: ListedClass] = [:]
    var blacks: [Subject: Position] = [:]
    var wereBlack: Set<Subject> = []
    for change in changes {
      var entries = listed[change.subject] ?? before(change.subject)
      let wasBlack = entries.isBlack
      if wasBlack, listed[change.subject] == nil { wereBlack.insert(change.subject) }
      entries.replace(change.scope, with: change.entryClass)
      listed[change.subject] = entries
      if !entries.isBlack {
        blacks[change.subject] = nil
      } else if !wasBlack, !wereBlack.contains(change.subject) {
        blacks[change.subject] = change.position
      }
    }
    return blacks
  }

  /// Of the subjects that became black, those that no approved mass change explains: only they are
  /// counted and may be held.
  package static func unexplained(
    _ blacks: [Subject: Position], by marks: [MassMark]
  ) -> [Subject: Position] {
    marks.isEmpty
      ? blacks : blacks.filter { _, position in !marks.contains { $0.contains(position) } }
  }

  /// How many of the blacks that a snapshot adds to a list at `after` are to be counted.
  package static func unexplained(
    _ blacks: Int, by marks: [MassMark], after: Position, upTo: Position
  ) -> Int {
    marks.reduce(blacks) { left, mark in
      let (first, last) = (max(mark.after, after), min(mark.upTo, upTo))
      // A position makes no more than one subject black.
      return first < last
        ? max(0, left - min(mark.blacks, Int(clamping: last.number - first.number))) : left
    }
  }

  /// Whether what became black somewhere after `after` and not after `upTo` is explained, and so
  /// is to be released.
  package static func explains(_ marks: [MassMark], after: Position, upTo: Position) -> Bool {
    marks.contains { $0.after <= after && upTo <= $0.upTo }
  }
}

extension ListedClass {
  fileprivate var isBlack: Bool { effective?.status == .black }

  /// The entry of `scope`, which must be one of the feed's.
  package mutating func replace(_ scope: Scope, with entryClass: EntryClass?) {
    switch scope {
    case .all: all = entryClass
    case .only: own = entryClass
    }
  }
}

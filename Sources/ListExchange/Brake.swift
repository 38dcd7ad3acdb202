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

  package let limit: Limit
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

  /// A person has looked: counting starts anew.
  package mutating func accepted() { periods = [] }

  /// A period in the future counts too: the clock was put back.
  private static func counts(_ period: Period, asOf now: Instant) -> Bool {
    now.seconds(since: period.start) < windowSeconds + periodSeconds
  }
}

extension Brake {
  /// The subjects that a delta makes black, with what the list said of them before.
  ///
  /// - Parameter before: what the feed says of a subject at present.
  package static func blacks(
    madeBy changes: some Sequence<Change>, before: (Subject) -> ListedClass
  ) -> [Subject: ListedClass] {
    var first: [Subject: ListedClass] = [:]
    var last: [Subject: ListedClass] = [:]
    for change in changes {
      var listed = last[change.subject] ?? before(change.subject)
      if first[change.subject] == nil { first[change.subject] = listed }
      listed.replace(change.scope, with: change.entryClass)
      last[change.subject] = listed
    }
    return first.filter { subject, listed in
      listed.effective?.status != .black && last[subject]?.effective?.status == .black
    }
  }
}

extension ListedClass {
  /// The entry of `scope`, which must be one of the feed's.
  package mutating func replace(_ scope: Scope, with entryClass: EntryClass?) {
    switch scope {
    case .all: all = entryClass
    case .only: own = entryClass
    }
  }
}

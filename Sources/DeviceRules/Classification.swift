/// That a condition holds for a device, and what its holder was promised.
package struct Classification: Hashable, Sendable {
  /// The day of the run that found it.
  package var since: Day
  /// From this day on it is blocked. Nil: never, as the condition only counts, or not yet known, as
  /// the amnesty is in its first part.
  package var blockOn: Day?
  package var hasAmnesty: Bool

  package init(since: Day, blockOn: Day?, hasAmnesty: Bool = false) {
    self.since = since
    self.blockOn = blockOn
    self.hasAmnesty = hasAmnesty
  }
}

/// What a run changes for one device and one condition.
///
/// The block date is a promise: it is fixed when it is first told, and a later run never moves it
/// nearer, whatever became of the grace period. Only the amnesty may move it further away, and a
/// condition that stops blocking takes it away. A device that left a condition and comes back is
/// found anew, with its whole grace. ITU-T Q.5050, 9.7.
package enum ClassificationChange: Hashable, Sendable {
  case nothing
  case begin(Classification)
  case change(Classification)
  case end

  /// `open`: what was found before and has not ended.
  package init(
    open: Classification?, matches: Bool, condition: Condition, amnesty: Amnesty?, asOf day: Day
  ) {
    guard let open else {
      self = matches ? .begin(Self.found(condition, amnesty, on: day)) : .nothing
      return
    }
    guard matches || condition.isSticky else {
      self = .end
      return
    }
    let now = Self.kept(open, condition, amnesty, on: day)
    self = now == open ? .nothing : .change(now)
  }

  private static func found(
    _ condition: Condition, _ amnesty: Amnesty?, on day: Day
  ) -> Classification {
    guard condition.isBlocking else { return Classification(since: day, blockOn: nil) }
    guard !isEvaluated(condition, amnesty, on: day) else {
      return Classification(since: day, blockOn: nil, hasAmnesty: true)
    }
    return Classification(since: day, blockOn: day + condition.graceDays)
  }

  private static func kept(
    _ open: Classification, _ condition: Condition, _ amnesty: Amnesty?, on day: Day
  ) -> Classification {
    var now = open
    guard condition.isBlocking else {
      now.blockOn = nil
      return now
    }
    if isEvaluated(condition, amnesty, on: day) {
      now.blockOn = nil
      now.hasAmnesty = true
      return now
    }
    // Told now for the first time: no holder gets less than the grace of everybody else.
    now.blockOn = open.blockOn ?? day + condition.graceDays
    guard open.hasAmnesty else { return now }
    if let amnesty, condition.isAmnestyEligible {
      if day <= amnesty.end { now.blockOn = max(amnesty.end, now.blockOn ?? amnesty.end) }
    } else if open.blockOn == nil {
      now.hasAmnesty = false
    }
    return now
  }

  /// Whether the amnesty is in its first part and open to the condition.
  private static func isEvaluated(
    _ condition: Condition, _ amnesty: Amnesty?, on day: Day
  ) -> Bool {
    guard let amnesty, condition.isAmnestyEligible else { return false }
    return day <= amnesty.evaluationEnd
  }
}

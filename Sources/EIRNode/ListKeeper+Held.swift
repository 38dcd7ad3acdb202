import DeviceLists
import ListExchange
import ListIndex

/// What the brake holds, and how it is set free.
extension ListKeeper {
  /// What an acceptance has set free.
  package struct Acceptance: Hashable, Sendable {
    package var subjects: Int
  }

  /// Whether there is room for so many more.
  func canHold(_ count: Int) -> Bool { heldCount + count <= mostHeld }

  /// Said where there is none: nothing of it is applied, and the list stays as it is.
  ///
  /// - Parameter count: nil where it is one of several deltas.
  func tooManyToHold(_ count: Int? = nil) -> NodeError {
    NodeError(
      .tooManyToHold,
      "the registry's list would make \(count.map { "\($0) " } ?? "")subjects black that the "
        + "brake does not let pass, and it can hold no more than \(mostHeld): the list stays as it "
        + "is. Ask the registry to approve the change or to take it back; if it is right, set "
        + "brake.least above it and eir reload, until it is here")
  }

  /// A person has looked: what was held takes effect, and counting starts anew. Where nothing is
  /// held nothing is done: an acceptance in advance would be none.
  package func accept() throws(NodeError) -> Acceptance {
    try change { (state) throws(NodeError) in
      let heldCount = self.heldCount
      guard heldCount > 0 else { return Acceptance(subjects: 0) }
      var brake = state.brake
      brake.accepted()
      try brakeFile.write(brake)
      state.brake = brake
      try Self.kept { () throws(ListIndexError) in try index.acceptHeld() }
      return Acceptance(subjects: heldCount)
    }
  }

  /// A held subject that the registry has meanwhile taken off the black list needs no holding.
  ///
  /// - Parameter changes: nil to look at everything that is held.
  func releaseWhatIsNoLongerBlack(among changes: [Change]? = nil) throws(NodeError) {
    guard let current = index.current else { return }
    let held = current.held
    guard !held.isEmpty else { return }
    let isOver: (Subject, HeldSubject) -> Bool = { subject, held in
      // A list that an older file gave is not yet where the subject became black.
      let isAhead = held.span.isKnown && held.span.upTo > current.head.position
      return !isAhead && current.listed(subject)?.effective?.status != .black
    }
    let released: [Subject]
    if let changes {
      released = Set(changes.lazy.map(\.subject)).filter { subject in
        held[subject].map { isOver(subject, $0) } ?? false
      }
    } else {
      released = held.filter(isOver)
    }
    guard !released.isEmpty else { return }
    try Self.kept { () throws(ListIndexError) in try index.unhold(released) }
  }

  /// Sets free what approved mass changes explain, whenever the approval comes, and takes it off
  /// what the brake has counted.
  func release(by marks: [MassMark], _ state: inout State) throws(NodeError) {
    let new = marks.filter { !state.seenMarks.contains($0) }
    guard !new.isEmpty else { return }
    if let held = index.current?.held, !held.isEmpty {
      let released = explained(held, by: marks, limit: state.brake.limit)
      if !released.isEmpty {
        try Self.kept { () throws(ListIndexError) in try index.unhold(released) }
        var brake = state.brake
        brake.excused(released.count)
        try brakeFile.write(brake)
        state.brake = brake
      }
    }
    state.seenMarks = Set(marks)
  }

  /// What a snapshot made black together is explained where its approved part leaves no more than
  /// the brake would have let pass.
  private func explained(
    _ held: HeldAnswers, by marks: [MassMark], limit: Brake.Limit
  ) -> [Subject] {
    var counts: [HeldSpan: Int] = [:]
    held.visit { _, item in
      if item.span.isWide { counts[item.span, default: 0] += 1 }
    }
    let most = limit.count(listEntries: entryCount)
    let wide = counts.filter { span, count in
      let left = Brake.unexplained(count, by: marks, after: span.after, upTo: span.upTo)
      return left < count && left <= most
    }
    return held.filter { _, item in
      guard item.span.isKnown else { return false }
      return wide[item.span] != nil
        || Brake.explains(marks, after: item.span.after, upTo: item.span.upTo)
    }
  }
}

extension HeldSpan {
  /// More than one position: a snapshot made it black.
  fileprivate var isWide: Bool { upTo.number - after.number > 1 }
}

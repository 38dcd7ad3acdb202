package import DeviceLists
internal import Synchronization

/// The brake: subjects that answer as before until somebody accepts what became of them.
extension ListIndex {
  static func heldPath(_ directory: String) -> String { directory + "/held" }

  /// From now on these subjects answer as they do now, while the list moves on. Durable when it
  /// returns: call it before the change is applied. A subject that is held already stays as it is.
  package func hold(_ subjects: some Sequence<(Subject, HeldSpan)>) throws(ListIndexError) {
    try changeHeld { (held, file, snapshot) throws(ListIndexError) in
      var new: [(Subject, HeldSubject)] = []
      for (subject, span) in subjects where held[subject] == nil {
        let item = HeldSubject(listed: snapshot.listed(subject) ?? ListedClass(), span: span)
        try held.hold(subject, item)
        new.append((subject, item))
      }
      if !new.isEmpty { try file.hold(new, now: held) }
    }
  }

  /// These answer as the list has them again: they were released meanwhile, say.
  package func unhold(_ subjects: [Subject]) throws(ListIndexError) {
    try changeHeld { (held, file, _) throws(ListIndexError) in
      for subject in subjects { held.release(subject) }
      try file.release(subjects, now: held)
    }
  }

  /// What is held stays held, but where it became black is no longer known: the positions were
  /// those of another epoch.
  package func forgetHeldSpans() throws(ListIndexError) {
    try changeHeld { (held, file, _) throws(ListIndexError) in
      var known: [(Subject, HeldSubject)] = []
      held.visit { subject, item in
        if item.span.isKnown {
          known.append((subject, HeldSubject(listed: item.listed, span: .unknown)))
        }
      }
      for (subject, item) in known { try held.hold(subject, item) }
      if !known.isEmpty { try file.hold(known, now: held) }
    }
  }

  /// All answer as the list has them.
  package func acceptHeld() throws(ListIndexError) {
    try changeHeld { (held, file, _) throws(ListIndexError) in
      let subjects = held.filter { _, _ in true }
      held = HeldAnswers()
      if !subjects.isEmpty { try file.release(subjects, now: held) }
    }
  }

  private func changeHeld(
    _ change: (inout HeldAnswers, inout HeldFile, ListSnapshot) throws(ListIndexError) -> Void
  ) throws(ListIndexError) {
    try writer.withLock { (writer) throws(ListIndexError) in
      let before = try snapshot()
      var held = before.held
      // What became of the files counts, whether the change did or not.
      try change(&held, &writer.held, before)
      publish(try before.with(held: held))
    }
  }
}

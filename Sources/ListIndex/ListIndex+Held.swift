package import DeviceLists
internal import Synchronization

/// The brake: subjects that answer as before until somebody accepts what became of them.
extension ListIndex {
  static func heldPath(_ directory: String) -> String { directory + "/held" }

  /// From now on these subjects answer as they do now, while the list moves on. Durable when it
  /// returns: call it before the change is applied. A subject that is held already stays as it is.
  package func hold(_ subjects: some Sequence<Subject>) throws(ListIndexError) {
    try replaceHeld { held, snapshot in
      for subject in subjects where held[subject] == nil {
        held[subject] = snapshot.listed(subject) ?? ListedClass()
      }
    }
  }

  /// These answer as the list has them again: they were released meanwhile, say.
  package func unhold(_ subjects: some Sequence<Subject>) throws(ListIndexError) {
    try replaceHeld { held, _ in
      for subject in subjects { held[subject] = nil }
    }
  }

  /// All answer as the list has them.
  package func acceptHeld() throws(ListIndexError) {
    try replaceHeld { held, _ in held = [:] }
  }

  private func replaceHeld(
    _ change: (inout [Subject: ListedClass], ListSnapshot) -> Void
  ) throws(ListIndexError) {
    try writer.withLock { (_) throws(ListIndexError) in
      let before = try snapshot()
      var held = before.held
      change(&held, before)
      guard held != before.held else { return }
      let after = try before.with(held: HeldAnswers(held))
      try HeldFile.write(held, to: Self.heldPath(directory))
      publish(after)
    }
  }
}

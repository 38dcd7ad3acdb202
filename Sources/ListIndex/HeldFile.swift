internal import DeviceLists

/// The held subjects on disk, twice: if they were lost, what the brake holds would become black
/// because something failed.
///
/// The copy is written first, so it is never behind. What it has beyond the other, after a crash
/// between the two, was not yet applied to the list.
struct HeldFile: Sendable {
  struct Content {
    var answers = HeldAnswers()
    var notice: ListIndex.Notice?
  }

  private var file: HeldJournal
  private var copy: HeldJournal

  init(path: String) {
    file = HeldJournal(path: path)
    copy = HeldJournal(path: path + ".copy")
  }

  /// Durable when it returns.
  ///
  /// - Parameter now: everything that is held afterwards.
  mutating func hold(
    _ subjects: [(Subject, HeldSubject)], now: HeldAnswers
  ) throws(ListIndexError) {
    try both { (journal) throws(ListIndexError) in try journal.hold(subjects, now: now) }
  }

  mutating func release(_ subjects: [Subject], now: HeldAnswers) throws(ListIndexError) {
    try both { (journal) throws(ListIndexError) in try journal.release(subjects, now: now) }
  }

  private mutating func both(
    _ write: (inout HeldJournal) throws(ListIndexError) -> Void
  ) throws(ListIndexError) {
    try write(&copy)
    do throws(ListIndexError) {
      try write(&file)
    } catch {
      copy.invalidate()
      throw error
    }
  }

  /// From the file or, where that is not whole, from its copy; a file that is not whole is made so.
  /// Where neither is, what can be read counts.
  mutating func read() throws(ListIndexError) -> Content {
    guard file.exists || copy.exists else { return Content() }
    if let answers = file.whole() {
      if !copy.isCopy(of: file), !answers.isEmpty || copy.exists { mend(&copy, answers) }
      return Content(answers: answers)
    }
    if let other = copy.whole() {
      mend(&file, other)
      return Content(answers: other, notice: .heldFromCopy)
    }
    let content = try file.exists ? file.read() : copy.read()
    let torn = content.tornByteCount
    mend(&file, content.answers)
    mend(&copy, content.answers)
    return Content(
      answers: content.answers, notice: torn > 0 ? .tornHeld(byteCount: torn) : nil)
  }

  /// Should it fail, the next change tries again.
  private func mend(_ journal: inout HeldJournal, _ answers: HeldAnswers) {
    journal.invalidate()
    try? journal.rewrite(answers)
  }
}

extension HeldJournal {
  var exists: Bool { FileSystem.exists(path) }

  /// Nil where it is not there, or not whole.
  fileprivate mutating func whole() -> HeldAnswers? {
    guard exists, let content = try? read(), content.tornByteCount == 0 else { return nil }
    return content.answers
  }
}

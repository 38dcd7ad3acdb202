package import DeviceLists

/// The numbers of a node's files, which rise by one: tells the next from a repeated one, from one
/// that stands for another content, and from one before which something is missing.
package struct ReplicationNumbers: Hashable, Sendable {
  package enum Decision: Hashable, Sendable {
    case process
    /// Processed already: the same answer again.
    case repeated
    /// ``ExchangeCode/numberReused``
    case otherContent
    /// What is missing may still come.
    case wait(missing: Int)
    /// ``ExchangeCode/numberMissing``: it has been waited for long enough.
    case report(missing: Int)
  }

  /// How long a missing number is waited for.
  package static let patienceSeconds: Int64 = 3_600

  /// The newest that was processed; 0 before the first.
  package private(set) var newest: Int
  /// Since when a file waits for a number before it.
  package private(set) var waitingSince: Instant?

  package init(newest: Int = 0) { self.newest = newest }

  /// - Parameter known: the hash of what was processed under this number, if anything was.
  package func decide(
    _ number: Int, hash: ContentHash, known: ContentHash?, asOf now: Instant
  ) -> Decision {
    if number <= newest { return known == nil || known == hash ? .repeated : .otherContent }
    guard number > newest + 1 else { return .process }
    let waited = waitingSince.map { now.seconds(since: $0) } ?? 0
    return waited >= Self.patienceSeconds
      ? .report(missing: newest + 1) : .wait(missing: newest + 1)
  }

  /// A file was found that has to wait.
  package mutating func waits(asOf now: Instant) { waitingSince = waitingSince ?? now }

  /// The file of this number and its answer are on disk.
  package mutating func processed(_ number: Int) {
    newest = max(newest, number)
    waitingSince = nil
  }
}

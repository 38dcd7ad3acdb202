import DeviceLists

@testable import ListExchange

/// One subject on the list of one scope.
struct ModelKey: Hashable {
  let subject: Subject
  let scope: Scope
}

/// A node's list as simply as it can be: entries, and the digest that they add up to.
struct ModelList {
  private(set) var entries: [ModelKey: EntryClass] = [:]
  private(set) var digest = ListDigest.zero

  mutating func apply(_ change: Change, _ digests: EntryDigests) {
    let key = ModelKey(subject: change.subject, scope: change.scope)
    if let old = entries[key] { digest -= digests.digest(key, old) }
    if let new = change.entryClass { digest += digests.digest(key, new) }
    entries[key] = change.entryClass
  }

  func listed(_ subject: Subject, _ feed: Feed) -> ListedClass {
    ListedClass(
      all: entries[ModelKey(subject: subject, scope: .all)],
      own: entries[ModelKey(subject: subject, scope: .only(feed.ownOperator))])
  }

  func isBlack(_ subject: Subject, _ feed: Feed) -> Bool {
    listed(subject, feed).effective?.status == .black
  }

  /// What belongs to one feed.
  func part(of feed: Feed, _ digests: EntryDigests) -> ModelList {
    var part = ModelList()
    for (key, entryClass) in entries where feed.contains(key.scope) {
      part.entries[key] = entryClass
      part.digest += digests.digest(key, entryClass)
    }
    return part
  }

  /// Computed anew from the entries.
  func recomputed(_ digests: EntryDigests) -> ListDigest {
    entries.reduce(into: ListDigest.zero) { $0 += digests.digest($1.key, $1.value) }
  }
}

/// Remembers what entries add to a digest: the same few come again and again.
final class EntryDigests {
  private var known: [ModelKey: [EntryClass: ListDigest]] = [:]

  func digest(_ key: ModelKey, _ entryClass: EntryClass) -> ListDigest {
    if let digest = known[key]?[entryClass] { return digest }
    var canonical = CanonicalEntry(scope: key.scope, entryClass: entryClass)
    let digest = canonical.digest(of: key.subject)
    known[key, default: [:]][entryClass] = digest
    return digest
  }
}

/// A snapshot on its way.
struct ModelSnapshot {
  let list: ModelList
  let checkpoint: Checkpoint
}

/// What becomes of a write, beyond being done.
enum WriteFault: CaseIterable {
  case failedNotStored, failedYetStored, killedBefore, killedAfter

  var isStored: Bool { self == .failedYetStored || self == .killedAfter }
  var isKill: Bool { self == .killedBefore || self == .killedAfter }
}

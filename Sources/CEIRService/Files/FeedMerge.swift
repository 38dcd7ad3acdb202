import DeviceLists
import ListIndex

/// The list of one operator's nodes at one position: that of every operator and its own.
struct FileFeed: Sendable {
  let all: ListSnapshot
  let own: ListSnapshot

  var epoch: Epoch { all.indexHead.epoch }
  var position: Position { all.indexHead.position }
  var digest: ListDigest { all.indexHead.digests.sum + own.indexHead.digests.sum }

  /// Nil where the two do not stand together.
  init?(all: ListSnapshot?, own: ListSnapshot?) {
    guard let all, let own, all.indexHead.position == own.indexHead.position,
      all.indexHead.epoch == own.indexHead.epoch
    else { return nil }
    self.all = all
    self.own = own
  }

  /// Every entry in the order of a full file.
  func entries(of code: OperatorCode) -> FeedEntries { FeedEntries(self, own: .only(code)) }
}

struct FeedEntries {
  private let ownScope: Scope
  private var all: EntryCursor
  private var own: EntryCursor
  private var nextAll: ListedEntry?
  private var nextOwn: ListedEntry?

  init(_ feed: FileFeed, own scope: Scope) {
    ownScope = scope
    all = feed.all.entries()
    own = feed.own.entries()
    nextAll = all.next()
    nextOwn = own.next()
  }

  mutating func next() -> Entry? {
    if let entry = nextAll, isBeforeOwn(entry.subject) {
      nextAll = all.next()
      guard let entryClass = entry.listed.all else { return next() }
      return Entry(subject: entry.subject, scope: .all, entryClass: entryClass)
    }
    guard let entry = nextOwn else { return nil }
    nextOwn = own.next()
    guard let entryClass = entry.listed.own else { return next() }
    return Entry(subject: entry.subject, scope: ownScope, entryClass: entryClass)
  }

  private func isBeforeOwn(_ subject: Subject) -> Bool {
    guard let other = nextOwn?.subject else { return true }
    let (mine, its) = (subject.keys, other.keys)
    return (subject.kind.rawValue, mine.first, mine.second)
      <= (other.kind.rawValue, its.first, its.second)
  }
}

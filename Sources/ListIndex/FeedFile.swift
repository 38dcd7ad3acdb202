package import DeviceLists

/// Snapshots as files.
package enum FeedFile {
  /// The feed of one operator, merged from the list of every operator and that operator's own, both
  /// at the same position of the same journal.
  ///
  /// - Parameter trailer: makes what follows the file's SHA-256 out of it.
  package static func write(
    all: ListSnapshot, own: ListSnapshot, feed: Feed, issuedAt: Instant, to path: String,
    trailer: (_ sha256: [UInt8]) throws(ListIndexError) -> [UInt8] = {
      (_) throws(ListIndexError) in []
    }
  ) throws(ListIndexError) -> WrittenIndex {
    let (left, right) = (all.indexHead, own.indexHead)
    guard left.content == .scope(.all), right.content == .scope(.only(feed.ownOperator)),
      left.registry == right.registry, left.epoch == right.epoch
    else { throw ListIndexError(.otherList) }
    guard left.position == right.position else {
      throw ListIndexError(.notNext(current: left.position))
    }
    let writer = try IndexFileWriter(path: path)
    var merge = FeedMerge(all: all, own: own)
    while let entry = try merge.next(numberingWith: writer) {
      try writer.append(
        kind: entry.kind, first: entry.first, second: entry.second, number: entry.number)
    }
    let head = IndexHead(
      registry: left.registry, content: .feed(feed), epoch: left.epoch, position: left.position,
      digests: ScopeDigests(all: left.digests.all, own: right.digests.own), issuedAt: issuedAt)
    return try writer.finish(head: head, trailer: trailer)
  }

  /// A list as it is.
  package static func write(
    _ snapshot: ListSnapshot, to path: String,
    trailer: (_ sha256: [UInt8]) throws(ListIndexError) -> [UInt8] = {
      (_) throws(ListIndexError) in []
    }
  ) throws(ListIndexError) -> WrittenIndex {
    let writer = try IndexFileWriter(path: path)
    var renumbering = [UInt16](repeating: IndexLayout.noClass, count: snapshot.classes.count)
    var entries = NumberedEntries(snapshot)
    while let entry = entries.next() {
      guard Int(entry.number) < renumbering.count else {
        throw ListIndexError(.damaged("an entry has no class"), path: snapshot.index.path)
      }
      if renumbering[Int(entry.number)] == IndexLayout.noClass {
        let listed = snapshot.classes.listed[Int(entry.number)]
        renumbering[Int(entry.number)] = try writer.number(of: listed)
      }
      try writer.append(
        kind: entry.kind, first: entry.first, second: entry.second,
        number: renumbering[Int(entry.number)])
    }
    return try writer.finish(head: snapshot.indexHead, trailer: trailer)
  }
}

/// Two lists of one scope each, entry by entry, with classes numbered as the writer does.
private struct FeedMerge {
  private struct Pair: Hashable {
    var all: UInt16
    var own: UInt16
  }

  private let allClasses: ClassTable
  private let ownClasses: ClassTable
  private var allEntries: NumberedEntries
  private var ownEntries: NumberedEntries
  private var nextAll: NumberedEntry?
  private var nextOwn: NumberedEntry?
  private var numbers: [Pair: UInt16] = [:]

  init(all: ListSnapshot, own: ListSnapshot) {
    allClasses = all.classes
    ownClasses = own.classes
    allEntries = NumberedEntries(all)
    ownEntries = NumberedEntries(own)
    nextAll = allEntries.next()
    nextOwn = ownEntries.next()
  }

  mutating func next(
    numberingWith writer: IndexFileWriter
  ) throws(ListIndexError) -> NumberedEntry? {
    var pair = Pair(all: IndexLayout.noClass, own: IndexLayout.noClass)
    guard var entry = nextAll ?? nextOwn else { return nil }
    if let other = nextOwn, other.precedes(entry) { entry = other }
    if let all = nextAll, all.hasKeys(of: entry) {
      pair.all = all.number
      nextAll = allEntries.next()
    }
    if let own = nextOwn, own.hasKeys(of: entry) {
      pair.own = own.number
      nextOwn = ownEntries.next()
    }
    entry.number = try number(of: pair, writer)
    return entry
  }

  private mutating func number(
    of pair: Pair, _ writer: IndexFileWriter
  ) throws(ListIndexError) -> UInt16 {
    if let number = numbers[pair] { return number }
    let listed = ListedClass(
      all: allClasses.listed(pair.all)?.all, own: ownClasses.listed(pair.own)?.own)
    let number = try writer.number(of: listed)
    numbers[pair] = number
    return number
  }
}

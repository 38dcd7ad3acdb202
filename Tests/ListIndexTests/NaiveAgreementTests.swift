import DeviceIdentity
import DeviceLists
import ListIndex
import Simulation
import Testing

/// The engine on the real index, file and overlay, against thirty naive lines on a plain array.
struct NaiveAgreementTests {
  static let entriesPerList = 80
  static let changesPerList = 40
  static let queriesPerList = 400

  @Test(arguments: (0..<50).map { UInt64(9_100 + $0) })
  func `the same verdict for every identity`(seed: UInt64) throws {
    var random = RandomLists(seed: seed, world: try SmallWorld())
    var naive = random.list(entryCount: Self.entriesPerList)
    let feed = Feed(of: random.world.ownOperator)
    let folder = try Folder()
    let index = try Self.index(of: naive, feed: feed, in: folder)
    var changes: [Change] = []
    var position = naive.head.position
    for _ in 0..<Self.changesPerList {
      position = position.next
      let change = random.change(at: position)
      guard feed.contains(change.scope) else { continue }
      changes.append(change)
      naive.apply(change)
    }
    let before = try #require(index.current?.indexHead)
    let snapshot = try index.apply(
      Delta(
        epoch: before.epoch, after: before.position, upTo: position, issuedAt: before.issuedAt,
        digest: naive.digest, changes: changes))
    naive.head = snapshot.head
    let answers: [CheckAnswer] = [.white, .grey, .black, .unknown]
    for _ in 0..<Self.queriesPerList {
      let settings = random.settings(answers: answers)
      let query = random.query()
      let expected = NaiveDecision.verdict(
        on: query, in: naive, settings: settings, asOf: RandomLists.now)
      let verdict = DecisionEngine(settings: settings).verdict(
        on: query, in: snapshot, asOf: RandomLists.now)
      #expect(verdict == expected)
    }
  }

  /// The list as a file that was installed, as a node gets its first snapshot.
  private static func index(
    of list: NaiveList, feed: Feed, in folder: Folder
  ) throws -> ListIndex {
    var listed: [Subject: ListedClass] = [:]
    var digests = ScopeDigests()
    for entry in list.entries {
      if entry.scope == .all {
        listed[entry.subject, default: ListedClass()].all = entry.entryClass
        digests.all += entry.digest
      } else {
        listed[entry.subject, default: ListedClass()].own = entry.entryClass
        digests.own += entry.digest
      }
    }
    let file = folder / "download"
    let writer = try IndexFileWriter(path: file)
    for (subject, entry) in listed.sorted(by: { key($0.key) < key($1.key) }) {
      try writer.append(subject, entry)
    }
    _ = try writer.finish(
      head: IndexHead(
        registry: Samples.registry, content: .feed(feed), epoch: list.head.epoch,
        position: list.head.position, digests: digests, issuedAt: list.head.issuedAt))
    let index = try ListIndex(
      directory: folder / "list", registry: Samples.registry, content: .feed(feed))
    try index.install(snapshotFile: file)
    return index
  }

  private static func key(_ subject: Subject) -> (UInt8, UInt64, UInt64) {
    (subject.kind.rawValue, subject.keys.first, subject.keys.second)
  }
}

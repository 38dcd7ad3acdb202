import DeviceIdentity
import DeviceLists
import Testing

@testable import ListIndex

@Suite struct StoreTests {
  @Test(arguments: 0..<24)
  func `after each step the store is what the model is`(seed: UInt64) throws {
    var walk = try StoreWalk(seed: seed)
    for _ in 0..<25 { try walk.step() }
    try walk.reopen()
    try walk.expectSame()
  }

  @Test func `a store without a log keeps what it was compacted to`() throws {
    var walk = try StoreWalk(seed: 77, keepsLog: false)
    try walk.store.apply(walk.delta(50))
    try walk.store.compact()
    let kept = walk.model
    try walk.store.apply(walk.delta(50))
    try walk.expectSame()
    walk.index = nil
    walk.index = try StoreWalk.open(walk.folder, keepsLog: false)
    kept.expectSame(try #require(walk.store.current), using: &walk.random)
    #expect(try FileSystem.names(in: walk.folder / "list").sorted() == ["2.index", "lock"])
  }

  @Test func `a delta that does not fit is refused whole, each for its own reason`() throws {
    var walk = try StoreWalk(seed: 5)
    try walk.store.apply(walk.delta(20))
    let before = walk.model
    let good = walk.delta(5)
    walk.model = before
    let cases: [(inout Delta) -> ListIndexError.Code] = [
      { delta in
        delta.after = Position(delta.after.number - 1)
        return .notNext(current: before.head.position)
      },
      { delta in
        delta.epoch = Epoch(high: 9, low: 9)
        return .otherEpoch(current: Samples.epoch)
      },
      { delta in
        let computed = delta.digest ?? .zero
        delta.digest = .zero
        return .otherDigest(computed: computed)
      },
      { delta in
        delta.changes.swapAt(0, 1)
        return .invalidDelta("its positions do not ascend")
      },
      { delta in
        delta.upTo = delta.changes[2].position
        return .invalidDelta("it has a change after its last position")
      },
      { delta in
        let last = delta.changes.removeLast()
        delta.changes.append(
          Change(
            position: last.position, subject: last.subject,
            scope: .only(OperatorCode("op2")!), entryClass: last.entryClass))
        return .invalidDelta("a change is of another scope")
      },
    ]
    for change in cases {
      var delta = good
      let code = change(&delta)
      #expect(throws: ListIndexError(code)) { try walk.store.apply(delta) }
      try walk.expectSame()
    }
    try walk.reopen()
    try walk.expectSame()
    try walk.store.apply(good)
    #expect(try walk.store.current?.head.position == good.upTo)
  }

  @Test func `a checkpoint takes a newer time only, and many of them do not grow the log`() throws {
    var walk = try StoreWalk(seed: 6)
    try walk.store.apply(walk.delta(20))
    func checkpoint(_ seconds: Int64, digest: ListDigest) -> Delta {
      let position = walk.model.head.position
      return Delta(
        epoch: Samples.epoch, after: position, upTo: position,
        issuedAt: Samples.now.adding(seconds: seconds), digest: digest, changes: [])
    }
    let digest = walk.model.digests.sum
    try walk.store.apply(checkpoint(10, digest: digest))
    let size = try contents(walk.folder / "list/1.log").count
    for seconds in 11..<100 { try walk.store.apply(checkpoint(Int64(seconds), digest: digest)) }
    #expect(try contents(walk.folder / "list/1.log").count == size)
    try walk.store.apply(checkpoint(5, digest: digest))
    #expect(try walk.store.current?.head.issuedAt == Samples.now.adding(seconds: 99))
    #expect(throws: ListIndexError(.otherDigest(computed: digest))) {
      try walk.store.apply(checkpoint(200, digest: .zero))
    }
    try walk.reopen()
    #expect(try walk.store.current?.head.issuedAt == Samples.now.adding(seconds: 99))
  }

  @Test func `a file of another registry, feed or content is not installed`() throws {
    let walk = try StoreWalk(seed: 8)
    var heads = [Samples.head(.scope(.all)), Samples.head(.feed(Feed(of: OperatorCode("op2")!)))]
    var other = Samples.head()
    other.registry = RegistryName("elsewhere")!
    heads.append(other)
    let path = walk.folder / "download"
    for head in heads {
      _ = try IndexFileWriter(path: path).finish(head: head)
      #expect(throws: ListIndexError(.otherList, path: path)) {
        try walk.store.install(snapshotFile: path)
      }
    }
    #expect(try walk.store.current?.indexHead.content == .feed(Samples.feed))
  }

  @Test func `a damaged download is refused and the list stays`() throws {
    var walk = try StoreWalk(seed: 10)
    try walk.store.apply(walk.delta(30))
    let path = walk.folder / "download"
    _ = try walk.model.write(to: path)
    var bytes = try contents(path)
    bytes[700] ^= 1
    try FileSystem.replace(path, with: bytes)
    #expect(throws: ListIndexError(.wrongHash, path: path)) {
      try walk.store.install(snapshotFile: path)
    }
    try walk.expectSame()
    try walk.reopen()
    try walk.expectSame()
  }

  @Test(.enabled(if: FileSystem.exists("/dev/shm"), "needs a second file system"))
  func `a file of another file system is copied into the directory`() throws {
    var walk = try StoreWalk(seed: 11)
    _ = walk.delta(30)
    let path = "/dev/shm/list-index-\(walk.folder.path.hashValue.magnitude)"
    _ = try walk.model.write(to: path)
    try walk.store.install(snapshotFile: path)
    #expect(!FileSystem.exists(path))
    try walk.expectSame()
    try walk.reopen()
    try walk.expectSame()
  }

  @Test func `many changes call for a compaction, which empties the overlay and the log`() throws {
    var walk = try StoreWalk(seed: 12)
    let count = UInt64(ListIndex.leastOverlayToCompact)
    let class1 = Samples.entryClass(using: &walk.random)
    let changes = (1...count + 1).map { number in
      Change(
        position: Position(number), subject: .imei(IMEI(number: number * 977)!), scope: .all,
        entryClass: class1)
    }
    try walk.store.apply(
      Delta(
        epoch: Samples.epoch, after: .start, upTo: Position(count), issuedAt: Samples.now,
        digest: nil, changes: changes.dropLast()))
    #expect(try !walk.store.needsCompaction)
    try walk.store.apply(
      Delta(
        epoch: Samples.epoch, after: Position(count), upTo: Position(count + 1),
        issuedAt: Samples.now, digest: nil, changes: [changes.last].compactMap(\.self)))
    #expect(try walk.store.needsCompaction)
    let before = try #require(walk.store.current)
    try walk.store.compact()
    let after = try #require(walk.store.current)
    #expect(try !walk.store.needsCompaction)
    #expect(after.overlayCount == 0)
    #expect(after.counts == before.counts)
    #expect(after.recomputedDigests() == before.indexHead.digests)
    #expect(try contents(walk.folder / "list/2.log").count == ChangeLog.headerByteCount)
  }

  @Test func `a directory has one writer`() throws {
    let walk = try StoreWalk(seed: 9)
    #expect(throws: ListIndexError(.busy, path: walk.folder / "list")) {
      _ = try StoreWalk.open(walk.folder)
    }
    #expect(try walk.store.current != nil)
  }

  @Test func `no list is a state, and a damaged one says so`() throws {
    let folder = try Folder()
    var index: ListIndex? = try StoreWalk.open(folder)
    #expect(index?.current == nil)
    #expect(throws: ListIndexError(.noList)) {
      try index?.apply(
        Delta(
          epoch: Samples.epoch, after: .start, upTo: .start, issuedAt: Samples.now, digest: nil,
          changes: []))
    }
    try index?.startEmpty(epoch: Samples.epoch, position: .start, issuedAt: Samples.now)
    index = nil
    try FileSystem.replace(folder / "list/1.index", with: Array("CEIRLISTsomething".utf8))
    index = try StoreWalk.open(folder)
    #expect(index?.current == nil)
    #expect(index?.notices.count == 1)
    try index?.startEmpty(epoch: Samples.epoch, position: .start, issuedAt: Samples.now)
    #expect(index?.current != nil)
  }
}

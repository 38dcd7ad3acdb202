import DeviceIdentity
import DeviceLists
import Synchronization
import Testing

@testable import ListIndex

@Suite struct ConcurrencyTests {
  private static let group = (0..<64).map { IMEI(number: 35_111_111_000_000 + $0 * 997)! }
  private static let black = EntryClass(
    status: .black, codes: GroundCodeSet(.stolen), isOverridable: false)
  private static let white = EntryClass(status: .white, codes: GroundCodeSet(.registered))

  /// Each delta moves the whole group: white at even hundreds, black at odd ones.
  private static func delta(_ number: UInt64) -> Delta {
    let after = Position(number * 100)
    return Delta(
      epoch: Samples.epoch, after: after, upTo: Position(after.number + 100),
      issuedAt: Samples.now, digest: nil,
      changes: group.enumerated().map { place, imei in
        Change(
          position: Position(after.number + UInt64(place) + 1), subject: .imei(imei), scope: .all,
          entryClass: number % 2 == 0 ? black : white)
      })
  }

  @Test func `readers see whole deltas while applies and compactions go on`() throws {
    let folder = try Folder()
    let index = try StoreWalk.open(folder)
    try index.startEmpty(epoch: Samples.epoch, position: .start, issuedAt: Samples.now)
    let progress = Progress()
    let deadline = ContinuousClock.now.advanced(by: .seconds(60))
    let writer = try WorkThread {
      defer { progress.finish() }
      var number: UInt64 = 0
      while !progress.isEnough, ContinuousClock.now < deadline {
        try index.apply(Self.delta(number))
        number += 1
      }
    }
    let compactor = try WorkThread {
      while !progress.isFinished {
        try index.compact()
        progress.compactions.add(1, ordering: .relaxed)
      }
    }
    let reader = try WorkThread {
      var last = Position.start
      while !progress.isFinished {
        last = try Self.expectWhole(try #require(index.current), after: last)
        progress.reads.add(1, ordering: .relaxed)
      }
    }
    for thread in [writer, compactor, reader] { try thread.join() }
    #expect(progress.isEnough)
    let last = try #require(index.current)
    #expect(last.recomputedDigests() == last.indexHead.digests)
  }

  private static func expectWhole(
    _ snapshot: ListSnapshot, after last: Position
  ) throws -> Position {
    let position = snapshot.head.position
    #expect(position >= last)
    let deltas = position.number / 100
    let expected: EntryClass? = deltas == 0 ? nil : deltas % 2 == 1 ? black : white
    let wrong = group.filter { snapshot.entry(of: $0) != expected }
    #expect(wrong.isEmpty)
    return position
  }

  @Test func `a compaction gives way to a list that was installed meanwhile`() throws {
    var walk = try StoreWalk(seed: 41)
    try walk.store.apply(walk.delta(200))
    let codes = Codes()
    for _ in 0..<50 where !codes.contains(.superseded) {
      let compaction = try WorkThread { [index = try walk.store] in
        codes.append(Self.compact(index))
      }
      try walk.install()
      try compaction.join()
      try walk.expectSame()
    }
    #expect(codes.all.allSatisfy { $0 == .superseded })
    try walk.reopen()
    try walk.expectSame()
  }

  private static func compact(_ index: ListIndex) -> ListIndexError.Code? {
    do throws(ListIndexError) {
      try index.compact()
      return nil
    } catch {
      return error.code
    }
  }
}

/// How far readers and compactions have come, and whether to stop.
private final class Progress: Sendable {
  let reads = Atomic(0)
  let compactions = Atomic(0)
  private let flag = Atomic(false)

  var isEnough: Bool {
    reads.load(ordering: .relaxed) >= 300 && compactions.load(ordering: .relaxed) >= 20
  }

  var isFinished: Bool { flag.load(ordering: .acquiring) }
  func finish() { flag.store(true, ordering: .releasing) }
}

/// How compactions failed.
private final class Codes: Sendable {
  private let list = Mutex<[ListIndexError.Code]>([])

  var all: [ListIndexError.Code] { list.withLock { $0 } }
  func contains(_ code: ListIndexError.Code) -> Bool { all.contains(code) }
  func append(_ code: ListIndexError.Code?) {
    guard let code else { return }
    list.withLock { $0.append(code) }
  }
}

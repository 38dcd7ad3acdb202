import DeviceIdentity
import DeviceLists
import Simulation
import Testing

@testable import ListIndex

@Suite struct IndexFileTests {
  /// Classes with numbers of their own: any status and ground codes will do.
  private static func classes(_ count: Int) -> [ListedClass] {
    (0..<count).map { number in
      let codes = GroundCodeSet(rawValue: UInt64(number & 0xFFFF))
      return ListedClass(all: EntryClass(status: .grey, codes: codes))
    }
  }

  private static func write(
    _ entries: [(imei: UInt64, listed: ListedClass)], _ folder: Folder
  ) throws -> ListSnapshot {
    let writer = try IndexFileWriter(path: folder / "file")
    for entry in entries {
      try writer.append(.imei(IMEI(number: entry.imei)!), entry.listed)
    }
    _ = try writer.finish(head: Samples.head())
    return try ListSnapshot(file: folder / "file", verify: true)
  }

  private static func serials(
    _ count: Int, spread: Bool, using random: inout SeededGenerator
  ) -> [UInt64] {
    guard spread else { return (0..<count).map { UInt64(1_000_000 - count + $0) } }
    var chosen: Set<UInt64> = []
    // Drawn from the smaller side: the chosen, or those left out.
    let isSparse = count <= 500_000
    while chosen.count < (isSparse ? count : 1_000_000 - count) {
      chosen.insert(UInt64(random.below(1_000_000)))
    }
    if isSparse { return chosen.sorted() }
    return (0..<1_000_000).filter { !chosen.contains($0) }
  }

  @Test(
    arguments: [0, 1, 2, 16, 17, 255, 256, 257, 3000, 65_535, 65_536, 200_000].flatMap {
      [($0, true), ($0, false)]
    } + [(999_999, true), (1_000_000, false)])
  func `every number of serials of a type is found, and no other`(
    count: Int, spread: Bool
  ) throws {
    let folder = try Folder()
    var random = SeededGenerator(seed: UInt64(count))
    let classes = Self.classes(5)
    let serials = Self.serials(count, spread: spread, using: &random)
    let first: UInt64 = 35_111_111_000_000
    let entries = serials.map { (imei: first + $0, listed: classes[Int($0 % 5)]) }
    let snapshot = try Self.write(entries, folder)
    var cursor = snapshot.entries()
    var wrong = 0
    for entry in entries {
      let subject = Subject.imei(IMEI(number: entry.imei)!)
      if cursor.next() != ListedEntry(subject: subject, listed: entry.listed) { wrong += 1 }
      if snapshot.listed(subject) != entry.listed { wrong += 1 }
    }
    #expect(cursor.next() == nil)
    let all = Set(serials)
    for _ in 0..<2000 {
      let serial = UInt64(random.below(1_000_000))
      let found = snapshot.entry(of: IMEI(number: first + serial)!)
      if (found != nil) != all.contains(serial) { wrong += 1 }
      if snapshot.entry(of: IMEI(number: first - 1_000_000 + serial)!) != nil { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  @Test(arguments: [1, 2, 3, 4, 5, 8, 9, 16, 17, 33, 64, 65, 129, 257, 513, 1025, 2049, 4097, 8193])
  func `every width of a class index gives the class back`(count: Int) throws {
    let folder = try Folder()
    var random = SeededGenerator(seed: UInt64(count))
    let classes = Self.classes(count)
    // A sparse type, a clustered one and a dense one; each class at least once in each.
    for (spread, size) in [(true, max(count, 900)), (false, max(count, 900)), (true, 150_000)] {
      let serials = Self.serials(size, spread: spread, using: &random)
      let entries = serials.enumerated().map {
        (imei: 35_111_111_000_000 + $1, listed: classes[$0 % count])
      }
      let snapshot = try Self.write(entries, folder)
      let wrong = entries.filter {
        snapshot.listed(.imei(IMEI(number: $0.imei)!)) != $0.listed
      }
      #expect(wrong.isEmpty)
    }
  }

  @Test func `class numbers of 16 bits are found, and one class more than fits is refused`() throws
  {
    let folder = try Folder()
    let statuses: [ListStatus] = [.grey, .white]
    let classes = (0..<65_535).map { number in
      ListedClass(
        all: EntryClass(
          status: statuses[number & 1], codes: GroundCodeSet(rawValue: UInt64(number >> 1))))
    }
    let entries = classes.enumerated().map {
      (imei: 35_111_111_000_000 + UInt64($0) * 15, listed: $1)
    }
    let snapshot = try Self.write(entries, folder)
    #expect(entries.allSatisfy { snapshot.listed(.imei(IMEI(number: $0.imei)!)) == $0.listed })
    let extra = ListedClass(own: classes[0].all)
    #expect(throws: ListIndexError(.tooMany("classes"))) {
      _ = try Self.write(entries + [(imei: 35_222_222_000_000, listed: extra)], folder)
    }
  }

  @Test func `a type with few classes of many names them in a palette`() throws {
    let folder = try Folder()
    let classes = Self.classes(5000)
    var entries = classes.enumerated().map {
      (imei: 1_000_000 + UInt64($0) * 3, listed: $1)
    }
    // 20,000 devices of three late classes: two bits each instead of thirteen.
    entries += (0..<20_000).map {
      (imei: 35_111_111_000_000 + UInt64($0) * 7, listed: classes[4990 + $0 % 3])
    }
    let snapshot = try Self.write(entries, folder)
    #expect(entries.allSatisfy { snapshot.listed(.imei(IMEI(number: $0.imei)!)) == $0.listed })
    let slot = (0..<snapshot.index.slotCount).map { snapshot.index.slot(at: $0) }
      .first { $0.tac == 35_111_111 }
    #expect(slot?.isDirect == false)
    #expect(slot?.width == 2)
  }

  @Test func `entries must ascend and must not be empty`() throws {
    let folder = try Folder()
    let writer = try IndexFileWriter(path: folder / "file")
    let listed = Self.classes(1)[0]
    try writer.append(.imei(IMEI(number: 5)!), listed)
    #expect(throws: ListIndexError(.outOfOrder, path: folder / "file")) {
      try writer.append(.imei(IMEI(number: 5)!), listed)
    }
    #expect(throws: ListIndexError.self) {
      try writer.append(.imei(IMEI(number: 6)!), ListedClass())
    }
    writer.discard()
    #expect(try FileSystem.names(in: folder.path).isEmpty)
  }

  @Test(arguments: 0..<20)
  func `random lists of all kinds answer as a dictionary does`(seed: UInt64) throws {
    let folder = try Folder()
    var random = SeededGenerator(seed: seed)
    var model = ListModel(Samples.head())
    _ = model.randomChanges(random.below(600), using: &random)
    let trailer = Array("a signed checkpoint".utf8)
    let written = try model.write(to: folder / "file", trailer: trailer)
    model.expectSame(try ListSnapshot(file: folder / "file", verify: true), using: &random)
    let summary = try IndexFileSummary(path: folder / "file", verify: true)
    #expect(summary.trailer == trailer)
    #expect(summary.sha256 == written.sha256)
    #expect(summary.byteCount == written.byteCount)
    #expect(summary.head.digests == model.digests)
    #expect(summary.counts == written.counts)
  }

  @Test(arguments: 0..<10)
  func `a feed is the merge of the lists of two scopes`(seed: UInt64) throws {
    let folder = try Folder()
    var random = SeededGenerator(seed: seed)
    var model = ListModel(Samples.head())
    _ = model.randomChanges(300, using: &random)
    let position = model.head.position.number
    var all = ListModel(Samples.head(.scope(.all), position: position))
    var own = ListModel(Samples.head(.scope(.only(Samples.ownOperator)), position: position))
    for (subject, listed) in model.listed {
      if let part = listed.all { all.listed[subject] = ListedClass(all: part) }
      if let part = listed.own { own.listed[subject] = ListedClass(own: part) }
    }
    _ = try all.write(to: folder / "all")
    _ = try own.write(to: folder / "own")
    let allSnapshot = try ListSnapshot(file: folder / "all", verify: true)
    let ownSnapshot = try ListSnapshot(file: folder / "own", verify: true)
    _ = try FeedFile.write(
      all: allSnapshot, own: ownSnapshot, feed: Samples.feed, issuedAt: Samples.now,
      to: folder / "feed")
    model.expectSame(try ListSnapshot(file: folder / "feed", verify: true), using: &random)
    #expect(throws: ListIndexError(.otherList)) {
      _ = try FeedFile.write(
        all: ownSnapshot, own: allSnapshot, feed: Samples.feed, issuedAt: Samples.now,
        to: folder / "other")
    }
  }
}

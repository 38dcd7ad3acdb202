import DeviceIdentity
import DeviceLists
import Simulation
import Testing

@testable import ListIndex

/// What becomes of a list whose newest file was damaged while nobody looked.
@Suite struct FallbackTests {
  /// Ways in which the bytes of an index file can go wrong so that opening sees it.
  enum Damage: CaseIterable {
    case flippedHeader, cut, emptied, newerVersion, otherFile, unknownWord, openedDirectory

    func apply(to bytes: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
      var damaged = bytes
      switch self {
      case .flippedHeader: damaged[random.below(512)] ^= UInt8(random.below(255) + 1)
      case .cut: damaged = Array(bytes[..<(1 + random.below(bytes.count - 1))])
      case .emptied: damaged = []
      case .newerVersion: damaged[8] = 2
      case .otherFile: damaged = Array("imei,status\n".utf8)
      case .unknownWord:
        // The number of a status in the class table that nobody knows.
        let offset = IndexLayout.Section.tableOffset + 16 * IndexLayout.Section.classes.rawValue
        damaged[Int(bytes.integer(at: offset))] = 77
      case .openedDirectory:
        let offset = IndexLayout.Section.tableOffset + 16 * IndexLayout.Section.directory.rawValue
        for place in 0..<Int(bytes.integer(at: offset + 8)) {
          damaged[Int(bytes.integer(at: offset)) + place] = 0
        }
      }
      return damaged
    }
  }

  /// A list that was compacted, with changes before and after, and something held.
  private static func compacted(_ seed: UInt64) throws -> StoreWalk {
    var walk = try StoreWalk(seed: seed)
    for _ in 0..<5 { try walk.store.apply(walk.delta(20)) }
    let subject = try #require(walk.model.listed.keys.first)
    let span = HeldSpan(after: Position(1), upTo: Position(2))
    walk.model.held[subject] = HeldSubject(
      listed: walk.model.listed[subject] ?? ListedClass(), span: span)
    try walk.store.hold([(subject, span)])
    try walk.store.compact()
    for _ in 0..<3 { try walk.store.apply(walk.delta(10)) }
    return walk
  }

  private static func names(_ walk: StoreWalk) throws -> [String] {
    try FileSystem.names(in: walk.folder / "list").sorted()
  }

  @Test(arguments: Damage.allCases, 0..<6)
  func `after a compaction a damaged file costs nothing`(damage: Damage, seed: UInt64) throws {
    var walk = try Self.compacted(seed)
    #expect(
      try Self.names(walk) == ["1.index", "1.log", "2.index", "2.log", "held", "held.copy", "lock"])
    walk.index = nil
    let newest = walk.folder / "list/2.index"
    let damaged = damage.apply(to: try contents(newest), using: &walk.random)
    try FileSystem.replace(newest, with: damaged)

    walk.index = try StoreWalk.open(walk.folder)
    let notices = try walk.store.notices
    #expect(notices.count == 2)
    #expect(notices.last == .olderIndex(position: walk.model.head.position))
    let sentence = try #require(notices.first?.description)
    #expect(sentence.contains("refused"))
    #expect(sentence.contains("newer program") == [.newerVersion, .unknownWord].contains(damage))
    try walk.expectSame()
    #expect(
      try Self.names(walk) == [
        "1.index", "1.log", "2.log", "2.refused", "held", "held.copy", "lock",
      ])

    // It goes on from there, whatever comes.
    try walk.store.apply(walk.delta(10))
    try walk.reopen()
    try walk.expectSame()
    try walk.store.compact()
    try walk.expectSame()
    #expect(
      try Self.names(walk)
        == ["1.index", "1.log", "2.log", "3.index", "3.log", "held", "held.copy", "lock"])
    try walk.store.compact()
    try walk.reopen()
    try walk.expectSame()
    #expect(
      try Self.names(walk) == ["3.index", "3.log", "4.index", "4.log", "held", "held.copy", "lock"])
  }

  @Test(arguments: Damage.allCases)
  func `after an install a damaged file gives the list before it, and says so`(
    damage: Damage
  ) throws {
    var walk = try Self.compacted(40)
    let before = walk.model
    try walk.install()
    try walk.store.apply(walk.delta(10))
    walk.index = nil
    #expect(
      try Self.names(walk)
        == ["2.index", "2.log", "3.index", "3.log", "held", "held.copy", "lock"])
    let newest = walk.folder / "list/3.index"
    let damaged = damage.apply(to: try contents(newest), using: &walk.random)
    try FileSystem.replace(newest, with: damaged)
    walk.index = try StoreWalk.open(walk.folder)
    walk.model = before
    try walk.expectSame()
    #expect(try walk.store.notices.contains(.olderIndex(position: before.head.position)))
    // The log of the list that is gone fits no other.
    #expect(
      try Self.names(walk) == ["2.index", "2.log", "3.refused", "held", "held.copy", "lock"])
    for _ in 0..<10 { try walk.step() }
    try walk.reopen()
    try walk.expectSame()
  }

  @Test(arguments: 0..<8)
  func `damage that opening cannot see is found by reading the file, and mended`(
    seed: UInt64
  ) throws {
    var walk = try Self.compacted(seed)
    #expect(try walk.store.check() == nil)
    walk.index = nil
    let newest = walk.folder / "list/2.index"
    var bytes = try contents(newest)
    let end = Int(bytes.integer(at: IndexLayout.Section.tableOffset + 8))
    bytes[512 + walk.random.below(end)] ^= 1
    try FileSystem.replace(newest, with: bytes)
    walk.index = try StoreWalk.open(walk.folder)
    var notices = try walk.store.notices
    // Where a change in the log is to one of the entries that are damaged, the start sees it.
    if notices.isEmpty {
      // Damage is never sealed anew.
      #expect(throws: ListIndexError(.wrongHash, path: newest)) { try walk.store.compact() }
      let damaged = try #require(try walk.store.check(yielding: seed % 2 == 0))
      #expect(damaged.error.code == .wrongHash)
      notices = try #require(try walk.store.replace(damaged))
      #expect(try walk.store.replace(damaged) == [])
    }
    #expect(notices.count == 2)
    #expect(notices.last == .olderIndex(position: walk.model.head.position))
    try walk.expectSame()
    #expect(try walk.store.check() == nil)
    for _ in 0..<10 { try walk.step() }
    try walk.reopen()
    try walk.expectSame()
  }

  @Test func `a damaged list with nothing before it is answered from until another comes`() throws {
    for hasChanges in [false, true] {
      var walk = try Self.compacted(50)
      try walk.store.compact()
      if hasChanges { for _ in 0..<10 { try walk.store.apply(walk.delta(20)) } }
      walk.index = nil
      FileSystem.removeIfPossible(walk.folder / "list/2.index")
      let path = walk.folder / "list/3.index"
      var bytes = try contents(path)
      for place in 512..<600 { bytes[place] ^= 0xFF }
      try FileSystem.replace(path, with: bytes)
      walk.index = try StoreWalk.open(walk.folder)
      #expect(try walk.store.current != nil)
      #expect(try walk.store.notices.isEmpty == !hasChanges)
      let damaged = try #require(try walk.store.check())
      #expect(try walk.store.replace(damaged) == nil)
      #expect(try walk.store.current != nil)
      try walk.install()
      try walk.expectSame()
      #expect(try walk.store.check() == nil)
    }
  }

  /// The states of the directory between any two steps of a fallback, with what they must give.
  @Test func `a crash within a fallback loses nothing`() throws {
    var walk = try Self.compacted(60)
    walk.index = nil
    let list = walk.folder / "list"
    var files: [String: [UInt8]] = [:]
    for name in try Self.names(walk) where name != "lock" {
      files[name] = try contents(list + "/" + name)
    }
    var damaged = try #require(files["2.index"])
    damaged[20] ^= 1
    let base = files.filter { $0.key != "2.index" }
    for (name, bytes) in [("2.index", damaged), ("2.refused", damaged), ("3.log", [])] {
      for old in try Self.names(walk) { FileSystem.removeIfPossible(list + "/" + old) }
      for (name, bytes) in base { try FileSystem.replace(list + "/" + name, with: bytes) }
      try FileSystem.replace(list + "/" + name, with: bytes)
      for _ in 0..<2 {
        walk.index = try StoreWalk.open(walk.folder)
        try walk.expectSame()
        walk.index = nil
      }
    }
  }

  @Test(arguments: 0..<40)
  func `whatever is damaged, what is answered from adds up`(seed: UInt64) throws {
    print("seed \(seed)")
    var walk = try StoreWalk(seed: 1_000 + seed)
    for _ in 0..<15 { try walk.step() }
    let newest = walk.model.head
    walk.index = nil
    let files = try Self.names(walk).filter { $0.hasSuffix(".index") || $0.hasSuffix(".log") }
    for _ in 0...walk.random.below(3) {
      let path = walk.folder / "list/\(files[walk.random.below(files.count)])"
      var bytes = try contents(path)
      // A log that ends between two records looks whole.
      if path.hasSuffix("index"), walk.random.below(2) == 0 {
        bytes = Array(bytes[..<(1 + walk.random.below(bytes.count - 1))])
      } else {
        bytes[walk.random.below(bytes.count)] ^= UInt8(walk.random.below(255) + 1)
      }
      try FileSystem.replace(path, with: bytes)
    }
    let index = try StoreWalk.open(walk.folder)
    var notices = index.notices
    if let damaged = try index.check() { notices += try index.replace(damaged) ?? [] }
    guard try index.check() == nil, let list = index.current else { return }
    #expect(list.recomputedDigests() == list.indexHead.digests)
    if list.head.epoch == newest.epoch, list.head.position == newest.position,
      list.indexHead.digests == walk.model.digests
    {
      walk.index = index
      try walk.expectSame()
    } else {
      #expect(!notices.isEmpty, "an older list is never taken without a word")
    }
  }
}

extension [UInt8] {
  /// Little-endian, of eight bytes.
  fileprivate func integer(at offset: Int) -> UInt64 {
    self[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

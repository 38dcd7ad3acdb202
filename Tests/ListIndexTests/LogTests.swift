import DeviceIdentity
import DeviceLists
import Testing

@testable import ListIndex

@Suite struct LogTests {
  @Test func `a log cut at any byte gives the records before it, and goes on`() throws {
    var walk = try StoreWalk(seed: 21)
    var states = [walk.model]
    var ends = [ChangeLog.headerByteCount]
    let path = walk.folder / "list/1.log"
    for _ in 0..<4 {
      try walk.store.apply(walk.delta(3))
      states.append(walk.model)
      ends.append(try contents(path).count)
    }
    let next = walk.delta(2)
    let after = walk.model
    walk.index = nil
    let whole = try contents(path)
    for count in ChangeLog.headerByteCount...whole.count {
      try FileSystem.replace(path, with: Array(whole[..<count]))
      let records = (ends.lastIndex { $0 <= count }) ?? 0
      let index = try StoreWalk.open(walk.folder)
      let torn = count - ends[records]
      #expect(index.notices == (torn == 0 ? [] : [.tornTail(byteCount: torn)]))
      #expect(index.current?.head.position == states[records].head.position)
      #expect(index.current?.indexHead.digests == states[records].digests)
      guard records == 4 else { continue }
      try index.apply(next)
      #expect(index.current?.indexHead.digests == after.digests)
    }
  }

  @Test func `a flipped byte in the log ends it there`() throws {
    var walk = try StoreWalk(seed: 22)
    let path = walk.folder / "list/1.log"
    var ends = [ChangeLog.headerByteCount]
    var positions = [walk.model.head.position]
    for _ in 0..<3 {
      try walk.store.apply(walk.delta(2))
      ends.append(try contents(path).count)
      positions.append(walk.model.head.position)
    }
    walk.index = nil
    let whole = try contents(path)
    for place in whole.indices {
      var damaged = whole
      damaged[place] ^= 0x41
      try FileSystem.replace(path, with: damaged)
      let index = try StoreWalk.open(walk.folder)
      let records = place < ends[0] ? 0 : (ends.lastIndex { $0 <= place }) ?? 0
      #expect(index.current?.head.position == positions[records], "byte \(place)")
      #expect(index.notices.count == 1)
    }
  }

  /// The states of the directory between any two steps of a new generation.
  @Test func `a crash within a change of generation leaves the old one or the new one`() throws {
    var walk = try StoreWalk(seed: 23)
    try walk.store.apply(walk.delta(30))
    try walk.store.apply(walk.delta(30))
    let old = walk.model
    let list = walk.folder / "list"
    let oldIndex = try contents(list + "/1.index")
    let oldLog = try contents(list + "/1.log")
    try walk.install()
    let new = walk.model
    let newIndex = try contents(list + "/2.index")
    let newLog = try contents(list + "/2.log")
    walk.index = nil
    let before = [("1.index", oldIndex), ("1.log", oldLog)]
    let after = [("2.log", newLog), ("2.index", newIndex)]
    let states: [(files: [(String, [UInt8])], expected: ListModel, left: Int)] = [
      (before + [("empty.new.part", newIndex)], old, 3), (before + [("2.log", [])], old, 3),
      (before + [("2.log", newLog)], old, 3), (before + after, new, 5),
      ([before[1]] + after, new, 3), (after, new, 3),
    ]
    for (files, expected, left) in states {
      for name in try FileSystem.names(in: list) { FileSystem.removeIfPossible(list + "/" + name) }
      for (name, bytes) in files { try FileSystem.replace(list + "/" + name, with: bytes) }
      let index = try StoreWalk.open(walk.folder)
      #expect(index.notices.isEmpty)
      expected.expectSame(try #require(index.current), using: &walk.random)
      #expect(try FileSystem.names(in: list).count == left)
    }
  }
}

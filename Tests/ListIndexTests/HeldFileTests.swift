import DeviceIdentity
import DeviceLists
import Glibc
import Simulation
import Testing

@testable import ListIndex

/// What the brake holds must not become black because a file was damaged.
struct HeldFileTests {
  private static let seed: UInt64 = 20_261_128

  /// A list with six held subjects, in several records.
  private static func holding() throws -> StoreWalk {
    var walk = try StoreWalk(seed: seed)
    for _ in 0..<5 { try walk.store.apply(walk.delta(20)) }
    for _ in 0..<6 { try hold(&walk) }
    return walk
  }

  private static func hold(_ walk: inout StoreWalk) throws {
    let free = walk.model.listed.keys.first { walk.model.held[$0] == nil }
    let subject = try #require(free)
    let span = HeldSpan(after: Position(1), upTo: Position(2))
    try walk.store.hold([(subject, span)])
    walk.model.held[subject] = HeldSubject(
      listed: walk.model.listed[subject] ?? ListedClass(), span: span)
  }

  @Test(arguments: ["held", "held.copy"], ["changed", "cut", "emptied", "removed"])
  func `whichever file is damaged, the other has all that is held, and both are whole again`(
    name: String, damage: String
  ) throws {
    var random = SeededGenerator(seed: Self.seed)
    for _ in 0..<(damage == "changed" ? 60 : 10) {
      var walk = try Self.holding()
      walk.index = nil
      let path = walk.folder / "list/\(name)"
      var bytes = try contents(path)
      switch damage {
      case "changed": bytes[random.below(bytes.count)] ^= UInt8(random.below(255) + 1)
      case "cut": bytes = Array(bytes[..<(1 + random.below(bytes.count - 1))])
      case "emptied": bytes = []
      default: FileSystem.removeIfPossible(path)
      }
      if damage != "removed" { try FileSystem.replace(path, with: bytes) }
      walk.index = try StoreWalk.open(walk.folder)
      try walk.expectSame()
      #expect(try walk.store.notices == (name == "held" ? [.heldFromCopy] : []))
      // Each of them alone is enough from here on.
      try Self.hold(&walk)
      for lost in ["held", "held.copy"] {
        walk.index = nil
        FileSystem.removeIfPossible(walk.folder / "list/\(lost)")
        walk.index = try StoreWalk.open(walk.folder)
        try walk.expectSame()
      }
    }
  }

  @Test(arguments: ["held", "held.copy"])
  func `a file that cannot be written fails the change and leaves what was held`(
    name: String
  ) throws {
    var walk = try Self.holding()
    let path = walk.folder / "list/\(name)"
    let whole = try contents(path)
    // A directory in its place.
    FileSystem.removeIfPossible(path)
    try FileSystem.makeDirectory(path)
    let before = walk.model
    #expect(throws: ListIndexError.self) { try Self.hold(&walk) }
    walk.model = before
    try walk.expectSame()
    #expect(rmdir(path) == 0)
    try FileSystem.replace(path, with: whole)
    try Self.hold(&walk)
    for lost in ["none", "held", "held.copy"] {
      walk.index = nil
      FileSystem.removeIfPossible(walk.folder / "list/\(lost)")
      walk.index = try StoreWalk.open(walk.folder)
      try walk.expectSame()
    }
  }

  @Test func `without anything held there is no file`() throws {
    var walk = try StoreWalk(seed: Self.seed)
    try walk.store.apply(walk.delta(20))
    try walk.reopen()
    let names = try FileSystem.names(in: walk.folder / "list")
    #expect(!names.contains { $0.hasPrefix("held") })
  }
}

import Crypto
import DeviceIdentity
import DeviceLists
import Glibc
import Simulation
import Testing

@testable import ListIndex

@Suite struct DamageTests {
  private static func write(_ bytes: [UInt8], to path: String) throws {
    let descriptor = try FileSystem.create(path)
    defer { close(descriptor) }
    try FileSystem.write(bytes, to: descriptor, path)
  }

  /// A list that has every kind, a bitmap, buckets of both sorts and a palette.
  private static func smallModel(_ seed: UInt64, changes: Int) -> ListModel {
    var random = SeededGenerator(seed: seed)
    var model = ListModel(Samples.head())
    _ = model.randomChanges(changes, using: &random)
    return model
  }

  /// Whatever a file holds, every question has an end and an answer.
  private static func exercise(_ snapshot: ListSnapshot, using random: inout SeededGenerator) {
    var cursor = snapshot.entries()
    var count = 0
    while cursor.next() != nil { count += 1 }
    for _ in 0..<60 {
      let subject = Samples.subject(using: &random)
      _ = snapshot.listed(subject)
      let imei = Samples.imei(using: &random)
      _ = snapshot.entry(of: imei)
      _ = snapshot.entry(of: imei.tac)
      _ = snapshot.rangeEntry(containing: imei)
      _ = snapshot.hasException(imei)
    }
    #expect(count >= 0)
  }

  @Test func `a flipped byte anywhere is refused, but for the trailer, which proves itself`() throws
  {
    let folder = try Folder()
    let trailer: [UInt8] = [1, 2, 3, 4]
    let written = try Self.smallModel(1, changes: 60).write(to: folder / "file", trailer: trailer)
    let bytes = try contents(folder / "file")
    #expect(UInt64(bytes.count) == written.byteCount)
    let path = folder / "damaged"
    for place in bytes.indices {
      var damaged = bytes
      damaged[place] ^= UInt8.random(in: 1...255)
      try Self.write(damaged, to: path)
      if place >= bytes.count - trailer.count {
        #expect(try IndexFileSummary(path: path, verify: true).sha256 == written.sha256)
      } else {
        #expect(throws: ListIndexError.self, "byte \(place)") {
          _ = try ListSnapshot(file: path, verify: true)
        }
      }
    }
  }

  @Test(arguments: [(UInt64(2), 60), (3, 400)])
  func `a damaged file whose hash is not looked at never harms`(
    seed: UInt64, changes: Int
  ) throws {
    let folder = try Folder()
    var random = SeededGenerator(seed: seed)
    _ = try Self.smallModel(seed, changes: changes).write(to: folder / "file")
    let bytes = try contents(folder / "file")
    let path = folder / "damaged"
    for _ in 0..<3000 {
      var damaged = bytes
      for _ in 0...random.below(3) {
        let place = 512 + random.below(bytes.count - 512)
        damaged[place] = [0, 0xFF, UInt8(random.below(256))][random.below(3)]
      }
      try Self.write(damaged, to: path)
      do throws(ListIndexError) {
        Self.exercise(try ListSnapshot(file: path, verify: false), using: &random)
      } catch {
        #expect(!error.description.isEmpty)
      }
    }
  }

  @Test func `a file with another header, made to look whole, never harms`() throws {
    let folder = try Folder()
    var random = SeededGenerator(seed: 4)
    _ = try Self.smallModel(4, changes: 200).write(to: folder / "file")
    let bytes = try contents(folder / "file")
    let path = folder / "damaged"
    for _ in 0..<5000 {
      var damaged = bytes
      // Lengths, counts and extents, with small and large values.
      let place = 16 + random.below(40) * 8
      let value = [0, 1, 7, UInt64(bytes.count), .max, random.next() % 4096][random.below(6)]
      damaged.store(little: value, at: place)
      let hash = Array(SHA256.hash(data: damaged[..<IndexLayout.headerHashOffset]))
      damaged.replaceSubrange(IndexLayout.headerHashOffset..<512, with: hash)
      try Self.write(damaged, to: path)
      do throws(ListIndexError) {
        Self.exercise(try ListSnapshot(file: path, verify: false), using: &random)
      } catch {
        #expect(!error.description.isEmpty)
      }
    }
  }

  @Test func `a file cut anywhere is refused`() throws {
    let folder = try Folder()
    _ = try Self.smallModel(5, changes: 40).write(to: folder / "file", trailer: [1, 2, 3])
    let bytes = try contents(folder / "file")
    for count in 1..<bytes.count {
      try Self.write(Array(bytes[..<count]), to: folder / "cut")
      #expect(throws: ListIndexError.self, "\(count) bytes") {
        _ = try ListSnapshot(file: folder / "cut", verify: false)
      }
    }
  }

  @Test func `a newer version and an unknown ground code are refused with a sentence`() throws {
    let folder = try Folder()
    var model = ListModel(Samples.head())
    model.listed[.tac(TAC(number: 7)!)] = ListedClass(
      all: EntryClass(status: .black, codes: GroundCodeSet(.simBox)))
    _ = try model.write(to: folder / "file")
    let bytes = try contents(folder / "file")

    var newer = bytes
    newer[8] = 2
    try Self.write(newer, to: folder / "newer")
    let version = #expect(throws: ListIndexError.self) {
      _ = try ListSnapshot(file: folder / "newer", verify: false)
    }
    #expect(version?.code == .newerVersion(2))
    #expect(version?.description.contains("version 2") == true)

    var unknown = bytes
    let word = Array("simBox".utf8)
    let place = bytes.indices.first { bytes[$0...].starts(with: word) }
    unknown[try #require(place)] = UInt8(ascii: "t")
    try Self.write(unknown, to: folder / "unknown")
    let code = #expect(throws: ListIndexError.self) {
      _ = try ListSnapshot(file: folder / "unknown", verify: false)
    }
    #expect(code?.code == .unknownWord("timBox"))
    #expect(throws: ListIndexError(.notAnIndex, path: folder / "text")) {
      try Self.write(Array("imei,status\n".utf8), to: folder / "text")
      _ = try ListSnapshot(file: folder / "text", verify: false)
    }
  }
}

import Crypto
import DeviceIdentity
import DeviceLists
import Testing

@testable import ListIndex

/// A list whose file is damaged behind its header, where opening does not look: it goes on.
struct DamagedListTests {
  private static let black = ListedClass(
    all: EntryClass(status: .black, codes: GroundCodeSet(.stolen), isOverridable: false))
  private static let device = IMEI(unchecked: 35_111_111_000_001)
  private static let range = IMEIRange(first: device, last: IMEI(unchecked: 35_111_111_000_900))!
  private static let otherRange = IMEIRange(
    first: IMEI(unchecked: 35_111_112_000_000), last: IMEI(unchecked: 35_111_112_999_999))!

  /// A directory whose index was changed by `damage`, with a header that fits.
  private static func list(
    in folder: Folder, _ damage: (inout [UInt8]) -> Void
  ) throws -> ListIndex {
    var model = ListModel(Samples.head())
    for subject in [Subject.imei(device), .range(range), .tac(device.tac)] {
      model.listed[subject] = black
    }
    _ = try model.write(to: folder / "file")
    var bytes = try contents(folder / "file")
    damage(&bytes)
    let hash = Array(SHA256.hash(data: bytes[..<IndexLayout.headerHashOffset]))
    bytes.replaceSubrange(IndexLayout.headerHashOffset..<512, with: hash)
    let path = folder / "1.index"
    let descriptor = try FileSystem.create(path)
    try FileSystem.write(bytes, to: descriptor, path)
    try FileSystem.synchronize(descriptor, path)
    return try ListIndex(
      directory: folder.path, registry: Samples.registry, content: .feed(Samples.feed))
  }

  /// Where a section begins.
  private static func start(_ section: IndexLayout.Section, _ bytes: [UInt8]) -> Int {
    bytes.withUnsafeBytes { buffer in
      let place = IndexLayout.Section.tableOffset + 16 * section.rawValue
      return Int(buffer.loadUnaligned(fromByteOffset: place, as: UInt64.self))
    }
  }

  private static func delta(_ list: ListIndex, _ subjects: [Subject]) throws -> Delta {
    let head = try #require(list.current).indexHead
    return Delta(
      epoch: head.epoch, after: head.position,
      upTo: Position(head.position.number + UInt64(subjects.count)), issuedAt: head.issuedAt,
      digest: nil,
      changes: subjects.enumerated().map { number, subject in
        Change(
          position: Position(head.position.number + UInt64(number) + 1), subject: subject,
          scope: .all, entryClass: nil)
      })
  }

  @Test(arguments: [(0, UInt64.max), (8, .max), (8, 0), (16, 77), (16, 0xFFFF)])
  func `a range that cannot be is left out when ranges change or are held`(
    field: Int, value: UInt64
  ) throws {
    let folder = try Folder()
    let list = try Self.list(in: folder) { bytes in
      bytes.store(little: value, at: Self.start(.ranges, bytes) + field)
    }
    let other = Subject.range(Self.otherRange)
    try list.hold([(other, .unknown)])
    _ = try list.apply(Self.delta(list, [other]))
    let after = try #require(list.current)
    #expect(after.rangeEntry(containing: Self.device) == nil)
    #expect(after.entry(of: Self.device)?.status == .black)
  }

  @Test func `a class beyond the table is none when its subject changes`() throws {
    let folder = try Folder()
    let list = try Self.list(in: folder) { bytes in
      let start = Self.start(.directory, bytes)
      for slot in stride(from: start, to: start + 32, by: IndexLayout.slotByteCount) {
        bytes.store(little: UInt16(77), at: slot + 12)
      }
    }
    let tac = Subject.tac(Self.device.tac)
    #expect(try #require(list.current).listed(tac) == nil)
    _ = try list.apply(Self.delta(list, [tac]))
    #expect(try #require(list.current).entry(of: Self.device)?.status == .black)
  }

  @Test func `more entries leave the list than it says that it has`() throws {
    let folder = try Folder()
    let list = try Self.list(in: folder) { $0.store(little: UInt64(0), at: 176) }
    _ = try list.apply(Self.delta(list, [.imei(Self.device)]))
    let after = try #require(list.current)
    #expect(after.counts.imeis == 0)
    #expect(after.entry(of: Self.device) == nil)
  }

  @Test func `a count that no file can have is refused`() throws {
    let folder = try Folder()
    let list = try Self.list(in: folder) { $0.store(little: UInt64.max, at: 176) }
    #expect(list.current == nil)
    #expect(list.notices.count == 1)
  }
}

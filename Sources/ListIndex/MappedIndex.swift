internal import Crypto
internal import DeviceLists

/// An index file, searched where it lies.
///
/// Sendable, and safe to search whatever the file holds: the pointers lead into `file`, which lives
/// as long as this and never changes; every extent was checked in `init`, and what a block says of
/// itself is checked at each look-up.
final class MappedIndex: @unchecked Sendable {
  let path: String
  let file: MappedFile
  let header: IndexFileHeader
  let classes: ClassTable

  let base: UnsafeRawPointer
  let directory: UnsafeRawPointer
  let slotCount: Int
  let slotShift: UInt32

  let ranges: UnsafeRawPointer
  let rangeCount: Int
  let segments: UnsafeRawPointer
  let segmentCount: Int

  let pairings: UnsafeRawPointer
  let pairingCount: Int
  let pairingSlots: UnsafeRawPointer
  let pairingSlotCount: Int
  let pairingShift: UInt64

  /// - Parameter verify: whether to read the whole file and compare its SHA-256.
  init(path: String, verify: Bool) throws(ListIndexError) {
    self.path = path
    file = try MappedFile(path: path)
    do throws(ListIndexError) {
      let header = try IndexFileHeader(file.bytes)
      self.header = header
      guard let start = file.bytes.baseAddress else { throw ListIndexError(.notAnIndex) }
      base = start
      let ending = try FileEnding(file.bytes, header)
      if verify { try ending.verify(file.bytes) }

      func extent(_ section: IndexLayout.Section) -> (start: UnsafeRawPointer, count: Int) {
        (start + Int(header[section].offset), Int(header[section].byteCount))
      }
      let slots = extent(.directory)
      directory = slots.start
      slotCount = slots.count / IndexLayout.slotByteCount
      slotShift = UInt32(truncatingIfNeeded: 32 &- slotCount.trailingZeroBitCount)
      ranges = extent(.ranges).start
      rangeCount = extent(.ranges).count / IndexLayout.rangeByteCount
      segments = extent(.segments).start
      segmentCount = extent(.segments).count / 10
      pairings = extent(.pairings).start
      pairingCount = extent(.pairings).count / IndexLayout.pairingByteCount
      pairingSlots = extent(.pairingSlots).start
      pairingSlotCount = extent(.pairingSlots).count / 4
      pairingShift = UInt64(64 - pairingSlotCount.trailingZeroBitCount)
      let table = extent(.classes)
      classes = try Self.readClasses(
        UnsafeRawBufferPointer(start: table.start, count: table.count),
        count: Int(header.classCount), content: header.head.content)
    } catch {
      throw ListIndexError(error.code, path: path)
    }
    try checkTables()
    file.expectUse()
  }

  private static func readClasses(
    _ bytes: UnsafeRawBufferPointer, count: Int, content: IndexContent
  ) throws(ListIndexError) -> ClassTable {
    guard count <= Int(IndexLayout.noClass) else { throw ListIndexError(.tooMany("classes")) }
    var reader = ByteReader(bytes)
    var listed: [ListedClass] = []
    for _ in 0..<count {
      let item = try ClassCoding.readListed(&reader)
      guard !item.isEmpty, item.all == nil || content.holdsAll,
        item.own == nil || content.ownScope != nil
      else { throw ListIndexError(.damaged("a class does not belong to its scope")) }
      listed.append(item)
    }
    guard reader.remaining == 0 else {
      throw ListIndexError(.damaged("the class table has the wrong size"))
    }
    return ClassTable(ClassNumbering(listed: listed))
  }

  private func checkTables() throws(ListIndexError) {
    func require(_ holds: Bool, _ what: String) throws(ListIndexError) {
      guard holds else { throw ListIndexError(.damaged(what), path: path) }
    }
    let counts = header.counts
    func hasWhole(_ section: IndexLayout.Section, _ unit: Int, _ count: Int) -> Bool {
      header[section].byteCount == UInt64(unit) * UInt64(count)
    }
    try require(
      slotCount.nonzeroBitCount == 1 && slotCount >= 2 && slotCount <= 1 << 28
        && hasWhole(.directory, IndexLayout.slotByteCount, slotCount),
      "the directory has the wrong size")
    try require(
      UInt64(rangeCount) == counts.ranges && rangeCount <= IndexLayout.mostRanges
        && hasWhole(.ranges, IndexLayout.rangeByteCount, rangeCount)
        && hasWhole(.segments, 10, segmentCount),
      "the ranges have the wrong size")
    try require(
      UInt64(pairingCount) == counts.pairings
        && hasWhole(.pairings, IndexLayout.pairingByteCount, pairingCount)
        && hasWhole(.pairingSlots, 4, pairingSlotCount)
        && (pairingCount == 0
          ? pairingSlotCount == 0
          : pairingSlotCount.nonzeroBitCount == 1 && pairingSlotCount >= 2),
      "the pairings have the wrong size")
    try checkDirectory()
  }

  /// Every block lies within the section of the blocks, with room for the tables of its form.
  private func checkDirectory() throws(ListIndexError) {
    let start = header[.blocks].offset
    let end = start + header[.blocks].byteCount
    var used = 0
    for place in 0..<slotCount {
      let slot = DirectorySlot(directory + place * IndexLayout.slotByteCount)
      if slot.tac == IndexLayout.emptySlot { continue }
      used += 1
      guard slot.tac < 100_000_000, slot.isSound else {
        throw ListIndexError(.damaged("the directory has an entry that cannot be"), path: path)
      }
      if slot.form == IndexLayout.formNone { continue }
      guard UInt64(slot.offset) >= start, UInt64(slot.offset + slot.byteCount) <= end else {
        throw ListIndexError(.damaged("a block is out of bounds"), path: path)
      }
    }
    guard used < slotCount else {
      throw ListIndexError(.damaged("the directory has no empty entry"), path: path)
    }
  }
}

/// What follows the sealed bytes of a file: their SHA-256 and the trailer.
struct FileEnding {
  let sha256: [UInt8]
  let trailer: [UInt8]
  private let sealedByteCount: Int

  init(_ file: UnsafeRawBufferPointer, _ header: IndexFileHeader) throws(ListIndexError) {
    sealedByteCount = Int(header.sealedByteCount)
    var reader = ByteReader(UnsafeRawBufferPointer(rebasing: file[sealedByteCount...]))
    guard let hash = reader.bytes(IndexLayout.hashByteCount),
      let length = reader.integer(UInt32.self), length <= IndexLayout.longestTrailer,
      let trailer = reader.bytes(Int(length)), reader.remaining == 0
    else { throw ListIndexError(.damaged("its end does not fit its header")) }
    sha256 = Array(hash)
    self.trailer = Array(trailer)
  }

  func verify(_ file: UnsafeRawBufferPointer) throws(ListIndexError) {
    let covered = UnsafeRawBufferPointer(rebasing: file[..<sealedByteCount])
    guard SHA256.hash(data: covered).elementsEqual(sha256) else {
      throw ListIndexError(.wrongHash)
    }
  }
}

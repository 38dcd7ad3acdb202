internal import Crypto
package import DeviceLists

/// A finished file.
package struct WrittenIndex: Hashable, Sendable {
  package let path: String
  package let byteCount: UInt64
  /// Of all bytes before the hash itself.
  package let sha256: [UInt8]
  package let counts: SubjectCounts
}

/// Writes an index file from entries in ascending order. Nothing is at `path` before `finish`; a
/// file that was there stays until then.
///
/// Memory: one block, 16 bytes for each TAC, the ranges, and 12 bytes for each IMEI with pairings.
package final class IndexFileWriter {
  private let path: String
  private let part: String
  private var file: OutputFile
  private var isFinished = false

  private(set) var numbering = ClassNumbering()
  private var counts = SubjectCounts()
  private var last: (kind: UInt8, first: UInt64, second: UInt64) = (0, 0, 0)
  private var tables = IndexTables()

  private var encoder = BlockEncoder()
  private var blockTAC: UInt32 = 0
  private var serials: [UInt32] = []
  private var classes: [UInt16] = []
  private var blocksEnd = IndexLayout.headerByteCount
  private var pairingsStart = 0

  package init(path: String) throws(ListIndexError) {
    self.path = path
    part = path + ".part"
    file = try OutputFile(path: part, startingAt: IndexLayout.headerByteCount)
  }

  deinit { discard() }

  /// Removes what was written, unless it was finished.
  package func discard() {
    if !isFinished { FileSystem.removeIfPossible(part) }
    isFinished = true
  }

  /// Subjects ascend by kind, then by their keys; `listed` is not empty.
  package func append(_ subject: Subject, _ listed: ListedClass) throws(ListIndexError) {
    let keys = subject.keys
    try append(
      kind: subject.kind, first: keys.first, second: keys.second, number: number(of: listed))
  }

  func number(of listed: ListedClass) throws(ListIndexError) -> UInt16 {
    guard !listed.isEmpty else {
      throw ListIndexError(.invalidDelta("an entry without a class"), path: path)
    }
    return try numbering.number(of: listed)
  }

  func append(
    kind: Subject.Kind, first: UInt64, second: UInt64, number: UInt16
  ) throws(ListIndexError) {
    let key = (kind: kind.rawValue, first: first, second: second)
    guard last < key else { throw ListIndexError(.outOfOrder, path: path) }
    last = key
    counts[kind] += 1
    switch kind {
    case .imei: try appendIMEI(first, number)
    case .range:
      guard tables.ranges.count < IndexLayout.mostRanges else {
        throw ListIndexError(.tooMany("ranges"), path: path)
      }
      tables.ranges.append(RangeTable.Item(first: first, last: second, number: number))
    case .tac: tables.tacs.append((UInt32(truncatingIfNeeded: first), number))
    case .pairing: try appendPairing(first, second, number)
    }
  }

  private func appendIMEI(_ imei: UInt64, _ number: UInt16) throws(ListIndexError) {
    let (tac, serial) = imei.quotientAndRemainder(dividingBy: UInt64(IndexLayout.serialsPerTAC))
    if tac != blockTAC {
      try finishBlock()
      blockTAC = UInt32(truncatingIfNeeded: tac)
    }
    serials.append(UInt32(truncatingIfNeeded: serial))
    classes.append(number)
  }

  private func finishBlock() throws(ListIndexError) {
    guard !serials.isEmpty else { return }
    let block = encoder.encode(serials: serials, classes: classes)
    let isBitmap = block.form == IndexLayout.formBitmap
    try file.align(to: isBitmap ? IndexLayout.lineByteCount : IndexLayout.blockAlignment)
    let offset = file.offset
    guard UInt64(offset + encoder.bytes.count) < IndexLayout.largestFile else {
      throw ListIndexError(.tooMany("entries"), path: path)
    }
    tables.slots.append(
      IndexTables.Slot(
        tac: blockTAC, offset: UInt32(offset / IndexLayout.blockAlignment),
        byteCount: UInt32(encoder.bytes.count), form: block.form, packing: block.packing))
    try file.append(encoder.bytes)
    serials.removeAll(keepingCapacity: true)
    classes.removeAll(keepingCapacity: true)
  }

  private func appendPairing(
    _ imei: UInt64, _ imsi: UInt64, _ number: UInt16
  ) throws(ListIndexError) {
    try finishBlocks()
    guard counts.pairings <= IndexLayout.mostPairings else {
      throw ListIndexError(.tooMany("pairings"), path: path)
    }
    if tables.pairedIMEIs.last?.imei != imei {
      tables.pairedIMEIs.append((imei, UInt32(counts.pairings - 1)))
    }
    try withUnsafeTemporary(imei, imsi, UInt64(number)) { (bytes) throws(ListIndexError) in
      try file.append(bytes)
    }
  }

  private func withUnsafeTemporary(
    _ first: UInt64, _ second: UInt64, _ third: UInt64,
    _ body: (UnsafeRawBufferPointer) throws(ListIndexError) -> Void
  ) throws(ListIndexError) {
    let words = (first.littleEndian, second.littleEndian, third.littleEndian)
    var failure: ListIndexError?
    withUnsafeBytes(of: words) { bytes in
      do throws(ListIndexError) { try body(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// The blocks end where the pairings start.
  private func finishBlocks() throws(ListIndexError) {
    guard pairingsStart == 0 else { return }
    try finishBlock()
    blocksEnd = file.offset
    try file.align(to: IndexLayout.blockAlignment)
    pairingsStart = file.offset
  }

  /// Writes the tables and the header, makes the file durable and puts it at `path`.
  ///
  /// - Parameter trailer: makes what follows the hash out of it, such as a signed checkpoint.
  package func finish(
    head: IndexHead,
    trailer: (_ sha256: [UInt8]) throws(ListIndexError) -> [UInt8] = {
      (_) throws(ListIndexError) in []
    }
  ) throws(ListIndexError) -> WrittenIndex {
    try finishBlocks()
    var header = IndexFileHeader(head: head, counts: counts, classCount: 0)
    header[.blocks] = extent(from: IndexLayout.headerByteCount, to: blocksEnd)
    header[.pairings] = extent(from: pairingsStart, to: file.offset)
    try append(tables.directory(), as: .directory, &header)
    let ranges = try RangeTable(items: tables.ranges, numbering: &numbering)
    try append(IndexTables.bytes(of: ranges.items), as: .ranges, &header)
    try append(IndexTables.bytes(of: ranges.segments), as: .segments, &header)
    try append(tables.pairingSlots(), as: .pairingSlots, &header)
    try append(IndexTables.bytes(of: numbering.listed), as: .classes, &header)
    header.classCount = UInt32(numbering.listed.count)
    try file.flush()
    header.sealedByteCount = UInt64(file.offset)
    try FileSystem.write(header.encoded(), to: file.descriptor, part)
    let sha256 = try hashOfFile()
    try seal(sha256, trailer: try trailer(sha256))
    let byteCount = UInt64(file.offset)
    try FileSystem.rename(part, to: path)
    isFinished = true
    try FileSystem.synchronize(directory: FileSystem.parent(of: path))
    return WrittenIndex(path: path, byteCount: byteCount, sha256: sha256, counts: counts)
  }

  private func extent(from start: Int, to end: Int) -> IndexFileHeader.Extent {
    IndexFileHeader.Extent(offset: UInt64(start), byteCount: UInt64(end - start))
  }

  private func append(
    _ bytes: [UInt8], as section: IndexLayout.Section, _ header: inout IndexFileHeader
  ) throws(ListIndexError) {
    try file.align(to: IndexLayout.lineByteCount)
    header[section] = extent(from: file.offset, to: file.offset + bytes.count)
    try file.append(bytes)
  }

  private func hashOfFile() throws(ListIndexError) -> [UInt8] {
    try MappedFile(path: part).withBytes { Array(SHA256.hash(data: $0)) }
  }

  private func seal(_ sha256: [UInt8], trailer: [UInt8]) throws(ListIndexError) {
    guard trailer.count <= IndexLayout.longestTrailer else {
      throw ListIndexError(.trailer("it has \(trailer.count) bytes"), path: path)
    }
    var ending = sha256
    ending.append(little: UInt32(trailer.count))
    try file.append(ending + trailer)
    try file.flush()
    try FileSystem.synchronize(file.descriptor, part)
  }
}

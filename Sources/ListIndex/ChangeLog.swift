internal import Crypto
internal import DeviceLists
internal import Glibc

/// The append-only file of what happened since an index file was written.
struct ChangeLog: Sendable {
  struct PlacedRecord {
    var record: LogRecord
    var end: Int
  }

  static let magic = Array("CEIRCLOG".utf8)
  static let version: UInt32 = 1
  static let headerByteCount = 56

  let path: String
  private let descriptor: Int32
  /// So many bytes of records behind the header are the end of the log before, too.
  let carriedByteCount: Int
  /// Where the next record goes. What lies behind is torn and counts for nothing.
  private(set) var end: Int
  /// Where the last record starts, if it is a checkpoint: the next one is written over it, so that
  /// a quiet list does not grow its log.
  private var lastCheckpoint: Int?

  /// A new file, durable together with its header and `tail`, the end of the log before; its
  /// directory entry is made durable by the caller, who renames the index file afterwards.
  init(
    creating path: String, generation: UInt64, tail: [UInt8] = []
  ) throws(ListIndexError) {
    self.path = path
    carriedByteCount = tail.count
    descriptor = try FileSystem.create(path)
    var bytes = Self.magic
    bytes.append(little: Self.version)
    bytes.append(little: UInt32(Self.headerByteCount))
    bytes.append(little: generation)
    bytes.append(little: UInt64(tail.count))
    bytes.append(little: UInt64(0))
    bytes += SHA256.hash(data: bytes).prefix(LogRecord.checksumByteCount)
    bytes += tail
    end = bytes.count
    do throws(ListIndexError) {
      try FileSystem.write(bytes, to: descriptor, path)
      try FileSystem.synchronize(descriptor, path)
    } catch {
      Glibc.close(descriptor)
      FileSystem.removeIfPossible(path)
      throw error
    }
  }

  /// Opens what is there and gives its whole records, up to the first that is not.
  init(
    opening path: String, generation: UInt64, content: IndexContent,
    records: inout [PlacedRecord], byteCount: inout Int
  ) throws(ListIndexError) {
    self.path = path
    descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileSystem.failure("open a file", path) }
    do throws(ListIndexError) {
      let file = try MappedFile(path: path)
      byteCount = file.byteCount
      (carriedByteCount, records) = try file.withBytes { (bytes) throws(ListIndexError) in
        try Self.records(in: bytes, generation: generation, content: content, path)
      }
      end = records.last?.end ?? Self.headerByteCount
    } catch {
      Glibc.close(descriptor)
      throw error
    }
  }

  private static func records(
    in bytes: UnsafeRawBufferPointer, generation: UInt64, content: IndexContent, _ path: String
  ) throws(ListIndexError) -> (carriedByteCount: Int, [PlacedRecord]) {
    var reader = ByteReader(bytes)
    let header = reader.bytes(headerByteCount)
    guard let base = header?.baseAddress, isHeader(header, generation: generation) else {
      throw ListIndexError(.damaged("the log has a wrong header"), path: path)
    }
    var records: [PlacedRecord] = []
    while let record = try LogRecord.next(&reader, content) {
      records.append(PlacedRecord(record: record, end: reader.offset))
    }
    return (Int(clamping: base.little(24, as: UInt64.self)), records)
  }

  private static func isHeader(_ bytes: UnsafeRawBufferPointer?, generation: UInt64) -> Bool {
    guard let bytes, let base = bytes.baseAddress else { return false }
    let covered = headerByteCount - LogRecord.checksumByteCount
    let hash = SHA256.hash(data: UnsafeRawBufferPointer(rebasing: bytes[..<covered]))
    return bytes.starts(with: magic) && base.little(8, as: UInt32.self) == version
      && base.little(16, as: UInt64.self) == generation
      && hash.prefix(LogRecord.checksumByteCount).elementsEqual(bytes[covered...])
  }

  func close() { Glibc.close(descriptor) }

  /// Durable when it returns. When it throws, the log is as before, though a crash before the next
  /// record may bring back what was written: it is whole then, and the list moves on by it.
  mutating func append(_ record: LogRecord) throws(ListIndexError) {
    let bytes = try record.encoded()
    do throws(ListIndexError) {
      try FileSystem.write(bytes, to: descriptor, at: end, path)
      guard fdatasync(descriptor) == 0 else {
        throw FileSystem.failure("make a file durable", path)
      }
    } catch {
      // Should this fail as well, the next record is written over the torn one all the same.
      _ = ftruncate(descriptor, off_t(end))
      throw error
    }
    end += bytes.count
    lastCheckpoint = nil
  }

  /// Written, but made durable only by the next record or the system: after a crash of the machine
  /// the list may seem older by some checkpoints, which the next one mends.
  mutating func append(checkpoint record: LogRecord) throws(ListIndexError) {
    let bytes = try record.encoded()
    let start = lastCheckpoint ?? end
    do throws(ListIndexError) {
      try FileSystem.write(bytes, to: descriptor, at: start, path)
    } catch {
      _ = ftruncate(descriptor, off_t(start))
      end = start
      lastCheckpoint = nil
      throw error
    }
    end = start + bytes.count
    lastCheckpoint = start
  }

  /// Drops what follows `end`.
  mutating func truncate(to end: Int) throws(ListIndexError) {
    guard ftruncate(descriptor, off_t(end)) == 0 else {
      throw FileSystem.failure("cut a file", path)
    }
    self.end = end
    lastCheckpoint = nil
  }

  /// Where a copy of what comes next starts: a last checkpoint may still be written over.
  var tailStart: Int { lastCheckpoint ?? end }

  func bytes(from start: Int) throws(ListIndexError) -> [UInt8] {
    let file = try MappedFile(path: path)
    guard end <= file.byteCount else {
      throw ListIndexError(.damaged("the log was cut"), path: path)
    }
    return file.withBytes { Array($0[start..<end]) }
  }
}

internal import Crypto
internal import DeviceLists
internal import Glibc

/// One file of held subjects: a header, then records that hold or release subjects. Each record has
/// a checksum, so that one which a crash cut off counts for nothing. `Schema/exchange/index.md`
/// does not describe it, since it never travels.
///
/// Record: `UInt32` length of the payload, payload, checksum of both. Payload: `UInt8` operation;
/// then groups up to its end: the class that is answered by (holding only), `UInt32` count, and for
/// each subject `UInt8` kind, two `UInt64` keys and (holding only) the two positions of its span.
struct HeldJournal: Sendable {
  private enum Operation: UInt8 {
    case hold = 1
    case release = 2
  }

  struct Content {
    var answers = HeldAnswers()
    /// What follows the last whole record.
    var tornByteCount = 0
  }

  private static let magic = Array("CEIRHELD".utf8)
  /// Version 1 was one list without positions, written anew at every change.
  private static let version: UInt32 = 2
  private static let headerByteCount = 16
  private static let longestPayload = 1 << 30
  /// A file with fewer dead entries than this is not worth writing anew.
  private static let leastDeadEntries = 10_000

  private static var header: [UInt8] {
    var bytes = magic
    bytes.append(little: version)
    bytes.append(little: UInt32(headerByteCount))
    return bytes
  }

  let path: String
  /// Where the next record goes; 0 where there is no file that it could be added to.
  private var end = 0
  /// Subjects that records name, dead or alive.
  private var entryCount = 0

  init(path: String) { self.path = path }

  // MARK: Writing

  /// Durable when it returns; the file is as before when it throws.
  ///
  /// - Parameter now: everything that is held afterwards.
  mutating func hold(
    _ subjects: [(Subject, HeldSubject)], now: HeldAnswers
  ) throws(ListIndexError) {
    try append(try Self.record(holding: subjects), entries: subjects.count, now: now)
  }

  mutating func release(_ subjects: [Subject], now: HeldAnswers) throws(ListIndexError) {
    try append(try Self.record(releasing: subjects), entries: subjects.count, now: now)
  }

  private mutating func append(
    _ record: [UInt8], entries: Int, now: HeldAnswers
  ) throws(ListIndexError) {
    let dead = entryCount + entries - now.count
    guard end > 0, dead <= max(now.count, Self.leastDeadEntries) else { return try rewrite(now) }
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileSystem.failure("open a file", path) }
    defer { close(descriptor) }
    do throws(ListIndexError) {
      // Of a record that was written in vain nothing may follow this one.
      guard ftruncate(descriptor, off_t(end)) == 0 else {
        throw FileSystem.failure("cut a file", path)
      }
      try FileSystem.write(record, to: descriptor, at: end, path)
      guard fdatasync(descriptor) == 0 else {
        throw FileSystem.failure("make a file durable", path)
      }
    } catch {
      // Should this fail as well, the next record is written over the torn one all the same.
      _ = ftruncate(descriptor, off_t(end))
      throw error
    }
    end += record.count
    entryCount += entries
  }

  /// The next change writes the file anew.
  mutating func invalidate() { end = 0 }

  mutating func rewrite(_ now: HeldAnswers) throws(ListIndexError) {
    var bytes = Self.header
    if !now.isEmpty {
      var subjects: [(Subject, HeldSubject)] = []
      subjects.reserveCapacity(now.count)
      now.visit { subjects.append(($0, $1)) }
      bytes += try Self.record(holding: subjects)
    }
    try FileSystem.replace(path, with: bytes)
    end = bytes.count
    entryCount = now.count
  }

  private static func record(
    holding subjects: [(Subject, HeldSubject)]
  ) throws(ListIndexError) -> [UInt8] {
    let groups = Dictionary(grouping: subjects) { $0.1.listed }
    return try record(.hold, entries: subjects.count) { bytes in
      for (listed, members) in groups {
        ClassCoding.append(listed, to: &bytes)
        bytes.append(little: UInt32(members.count))
        for (subject, held) in members {
          append(subject, to: &bytes)
          bytes.append(little: held.span.after.number)
          bytes.append(little: held.span.upTo.number)
        }
      }
    }
  }

  private static func record(releasing subjects: [Subject]) throws(ListIndexError) -> [UInt8] {
    try record(.release, entries: subjects.count) { bytes in
      bytes.append(little: UInt32(subjects.count))
      for subject in subjects { append(subject, to: &bytes) }
    }
  }

  private static func record(
    _ operation: Operation, entries: Int, _ payload: (inout [UInt8]) -> Void
  ) throws(ListIndexError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(64 + entries * 34)
    bytes.append(little: UInt32(0))
    bytes.append(operation.rawValue)
    payload(&bytes)
    let length = bytes.count - 4
    guard length <= longestPayload else { throw ListIndexError(.tooMany("held subjects")) }
    bytes.store(little: UInt32(length), at: 0)
    bytes += SHA256.hash(data: bytes).prefix(LogRecord.checksumByteCount)
    return bytes
  }

  private static func append(_ subject: Subject, to bytes: inout [UInt8]) {
    bytes.append(subject.kind.rawValue)
    bytes.append(little: subject.keys.first)
    bytes.append(little: subject.keys.second)
  }

  // MARK: Reading

  /// Nothing where there is no file. What was cut off is written over by the next record.
  mutating func read() throws(ListIndexError) -> Content {
    guard FileSystem.exists(path) else { return Content() }
    let file = try MappedFile(path: path)
    do throws(ListIndexError) {
      return try file.withBytes { (bytes) throws(ListIndexError) in try read(bytes) }
    } catch {
      throw ListIndexError(error.code, path: path)
    }
  }

  private mutating func read(
    _ bytes: UnsafeRawBufferPointer
  ) throws(ListIndexError) -> Content {
    var reader = ByteReader(bytes)
    guard let magic = reader.bytes(Self.magic.count), magic.elementsEqual(Self.magic),
      let version = reader.integer(UInt32.self)
    else { throw ListIndexError(.damaged("the held subjects are unreadable")) }
    if version == 1 { return Content(answers: try FormerHeldFile.read(bytes, reader)) }
    guard version == Self.version else { throw ListIndexError(.newerVersion(version)) }
    guard reader.integer(UInt32.self) == UInt32(Self.headerByteCount) else {
      throw ListIndexError(.damaged("the held subjects are unreadable"))
    }
    var content = Content()
    while let payload = Self.nextPayload(&reader, of: bytes) {
      entryCount += try Self.replay(payload, on: &content.answers)
    }
    end = reader.offset
    content.tornByteCount = reader.remaining
    return content
  }

  /// Whether the file is whole and as long as another that was read. Its entries, which can be
  /// millions, are not looked at.
  mutating func isCopy(of other: HeldJournal) -> Bool {
    guard other.end > 0, let file = try? MappedFile(path: path), file.byteCount == other.end
    else { return false }
    let isWhole = file.withBytes { bytes in
      var reader = ByteReader(bytes)
      guard let header = reader.bytes(Self.headerByteCount), header.elementsEqual(Self.header)
      else { return false }
      while Self.nextPayload(&reader, of: bytes) != nil {}
      return reader.remaining == 0
    }
    guard isWhole else { return false }
    (end, entryCount) = (other.end, other.entryCount)
    return true
  }

  private static func nextPayload(
    _ reader: inout ByteReader, of bytes: UnsafeRawBufferPointer
  ) -> UnsafeRawBufferPointer? {
    var ahead = reader
    guard let length = ahead.integer(UInt32.self), length <= longestPayload,
      let payload = ahead.bytes(Int(length)),
      let checksum = ahead.bytes(LogRecord.checksumByteCount)
    else { return nil }
    let covered = UnsafeRawBufferPointer(
      rebasing: bytes[reader.offset..<reader.offset + 4 + Int(length)])
    let hash = SHA256.hash(data: covered).prefix(LogRecord.checksumByteCount)
    guard hash.elementsEqual(checksum) else { return nil }
    reader = ahead
    return payload
  }

  /// How many subjects the record names.
  private static func replay(
    _ payload: UnsafeRawBufferPointer, on answers: inout HeldAnswers
  ) throws(ListIndexError) -> Int {
    var reader = ByteReader(payload)
    guard let number = reader.integer(UInt8.self) else { throw unreadable }
    guard let operation = Operation(rawValue: number) else {
      throw ListIndexError(.unknownWord("a record of held subjects"))
    }
    var entries = 0
    while reader.remaining > 0 {
      let listed = operation == .hold ? try ClassCoding.readListed(&reader) : ListedClass()
      guard let count = reader.integer(UInt32.self) else { throw unreadable }
      for _ in 0..<count {
        let subject = try subject(&reader)
        if operation == .hold {
          try answers.hold(
            subject, HeldSubject(listed: listed, span: try span(&reader)))
        } else {
          answers.release(subject)
        }
      }
      entries += Int(count)
    }
    return entries
  }

  private static func span(_ reader: inout ByteReader) throws(ListIndexError) -> HeldSpan {
    guard let after = reader.integer(UInt64.self), let upTo = reader.integer(UInt64.self) else {
      throw unreadable
    }
    return HeldSpan(after: Position(after), upTo: Position(upTo))
  }

  fileprivate static func subject(
    _ reader: inout ByteReader
  ) throws(ListIndexError) -> Subject {
    guard let number = reader.integer(UInt8.self), let kind = Subject.Kind(rawValue: number),
      let first = reader.integer(UInt64.self), let second = reader.integer(UInt64.self),
      let subject = Subject(kind: kind, first: first, second: second)
    else { throw ListIndexError(.damaged("a held subject cannot be")) }
    return subject
  }

  private static var unreadable: ListIndexError {
    ListIndexError(.damaged("the held subjects are unreadable"))
  }
}

/// Version 1: `UInt32` count, then each subject with its class, then the SHA-256 of all before.
private enum FormerHeldFile {
  static func read(
    _ bytes: UnsafeRawBufferPointer, _ start: ByteReader
  ) throws(ListIndexError) -> HeldAnswers {
    let covered = bytes.count - IndexLayout.hashByteCount
    guard covered > start.offset else {
      throw ListIndexError(.damaged("the held subjects are unreadable"))
    }
    let content = UnsafeRawBufferPointer(rebasing: bytes[..<covered])
    guard SHA256.hash(data: content).elementsEqual(bytes[covered...]) else {
      throw ListIndexError(.wrongHash)
    }
    var reader = ByteReader(content)
    guard reader.bytes(start.offset) != nil, let count = reader.integer(UInt32.self) else {
      throw ListIndexError(.damaged("the held subjects are unreadable"))
    }
    var answers = HeldAnswers()
    for _ in 0..<count {
      let subject = try HeldJournal.subject(&reader)
      let listed = try ClassCoding.readListed(&reader)
      try answers.hold(subject, HeldSubject(listed: listed, span: .unknown))
    }
    return answers
  }
}

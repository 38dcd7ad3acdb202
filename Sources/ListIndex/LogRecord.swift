internal import Crypto
internal import DeviceLists

/// One step of a list as the log keeps it, with the digests that the list had afterwards.
struct LogRecord: Sendable {
  enum Kind: UInt8, Sendable {
    case delta = 1
    case checkpoint = 2
    case repair = 3
    /// The list goes on in another epoch, at the same position.
    case epoch = 4
  }

  /// Refused when read; no change is written that is longer.
  static let longestPayload = 1 << 30
  static let checksumByteCount = 16
  private static let fixedByteCount = 117

  var kind: Kind
  var epoch: Epoch
  var after: Position
  var upTo: Position
  var issuedAt: Instant
  var digests: ScopeDigests
  var changes: [Change]

  init(_ kind: Kind, _ head: IndexHead, after: Position? = nil, changes: [Change] = []) {
    self.kind = kind
    epoch = head.epoch
    self.after = after ?? head.position
    upTo = head.position
    issuedAt = head.issuedAt
    digests = head.digests
    self.changes = changes
  }

  /// `UInt32` length of the payload, payload, checksum of both.
  func encoded() throws(ListIndexError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.fixedByteCount + changes.count * 48)
    bytes.append(little: UInt32(0))
    bytes.append(kind.rawValue)
    for word in [epoch.high, epoch.low, after.number, upTo.number] {
      bytes.append(little: word)
    }
    bytes.append(little: issuedAt.secondsSinceEpoch)
    bytes += digests.all.bytes
    bytes += digests.own.bytes
    bytes.append(little: UInt32(changes.count))
    for change in changes { Self.append(change, to: &bytes) }
    let length = bytes.count - 4
    guard length <= Self.longestPayload else {
      throw ListIndexError(.tooMany("changes at once"))
    }
    bytes.store(little: UInt32(length), at: 0)
    bytes += SHA256.hash(data: bytes).prefix(Self.checksumByteCount)
    return bytes
  }

  private static func append(_ change: Change, to bytes: inout [UInt8]) {
    bytes.append(little: change.position.number)
    bytes.append(change.scope == .all ? 0 : 1)
    bytes.append(change.subject.kind.rawValue)
    bytes.append(little: change.subject.keys.first)
    bytes.append(little: change.subject.keys.second)
    ClassCoding.append(change.entryClass, to: &bytes)
  }

  /// The next record; nil where the bytes end or are not whole.
  static func next(
    _ reader: inout ByteReader, _ content: IndexContent
  ) throws(ListIndexError) -> LogRecord? {
    var ahead = reader
    guard let length = ahead.integer(UInt32.self), length <= longestPayload,
      let payload = ahead.bytes(Int(length)), let checksum = ahead.bytes(checksumByteCount)
    else { return nil }
    var whole = reader
    guard let covered = whole.bytes(4 + Int(length)),
      SHA256.hash(data: covered).prefix(checksumByteCount).elementsEqual(checksum)
    else { return nil }
    reader = ahead
    return try LogRecord(payload: payload, content)
  }

  private init(
    payload: UnsafeRawBufferPointer, _ content: IndexContent
  ) throws(ListIndexError) {
    var reader = ByteReader(payload)
    guard let number = reader.integer(UInt8.self), let kind = Kind(rawValue: number),
      let high = reader.integer(UInt64.self), let low = reader.integer(UInt64.self),
      let after = reader.integer(UInt64.self), let upTo = reader.integer(UInt64.self),
      let seconds = reader.integer(Int64.self),
      let all = reader.bytes(ListDigest.byteCount), let own = reader.bytes(ListDigest.byteCount),
      let count = reader.integer(UInt32.self)
    else { throw Self.unreadable }
    self.kind = kind
    epoch = Epoch(high: high, low: low)
    self.after = Position(after)
    self.upTo = Position(upTo)
    issuedAt = Instant(secondsSinceEpoch: seconds)
    digests = ScopeDigests(
      all: ListDigest(littleEndian: all), own: ListDigest(littleEndian: own))
    changes = []
    for _ in 0..<count { changes.append(try Self.change(&reader, content)) }
  }

  private static func change(
    _ reader: inout ByteReader, _ content: IndexContent
  ) throws(ListIndexError) -> Change {
    guard let position = reader.integer(UInt64.self), let part = reader.integer(UInt8.self),
      let number = reader.integer(UInt8.self), let kind = Subject.Kind(rawValue: number),
      let first = reader.integer(UInt64.self), let second = reader.integer(UInt64.self),
      let subject = Subject(kind: kind, first: first, second: second),
      let scope = part == 0 ? .all : content.ownScope
    else { throw unreadable }
    return Change(
      position: Position(position), subject: subject, scope: scope,
      entryClass: try ClassCoding.read(&reader))
  }

  /// Whole by its checksum, and yet not readable: a newer program has written it. It is kept.
  private static var unreadable: ListIndexError {
    ListIndexError(.unknownWord("a record of the log"))
  }
}

internal import Crypto
internal import DeviceLists

/// The first 512 bytes of an index file. `Schema/exchange/index.md`, Header.
struct IndexFileHeader: Hashable, Sendable {
  struct Extent: Hashable, Sendable {
    var offset: UInt64 = 0
    var byteCount: UInt64 = 0
  }

  var head: IndexHead
  var counts: SubjectCounts
  /// The number of bytes that the SHA-256 covers, which is its offset.
  var sealedByteCount: UInt64
  var classCount: UInt32
  private var extents = [Extent](repeating: Extent(), count: IndexLayout.Section.allCases.count)

  init(head: IndexHead, counts: SubjectCounts, classCount: Int) {
    self.head = head
    self.counts = counts
    self.classCount = UInt32(classCount)
    sealedByteCount = 0
  }

  subscript(section: IndexLayout.Section) -> Extent {
    get { extents[section.rawValue] }
    set { extents[section.rawValue] = newValue }
  }

  func encoded() -> [UInt8] {
    var bytes = [UInt8]()
    bytes.reserveCapacity(IndexLayout.headerByteCount)
    bytes += IndexLayout.magic
    bytes.append(little: IndexLayout.version)
    bytes.append(little: UInt32(IndexLayout.headerByteCount))
    bytes.append(little: sealedByteCount)
    let (contentKind, contentName): (UInt64, String) =
      switch head.content {
      case .feed(let feed): (1, feed.description)
      case .scope(let scope): (2, scope.description)
      }
    bytes.append(little: contentKind)
    bytes.append(padded: contentName, to: OperatorCode.longestText)
    bytes.append(padded: head.registry.description, to: RegistryName.longestText)
    bytes.append(little: head.epoch.high)
    bytes.append(little: head.epoch.low)
    bytes.append(little: head.position.number)
    bytes.append(little: head.issuedAt.secondsSinceEpoch)
    bytes += head.digests.all.bytes
    bytes += head.digests.own.bytes
    for kind in Subject.Kind.allCases { bytes.append(little: counts[kind]) }
    for extent in extents {
      bytes.append(little: extent.offset)
      bytes.append(little: extent.byteCount)
    }
    bytes.append(little: classCount)
    bytes += [UInt8](repeating: 0, count: IndexLayout.headerHashOffset - bytes.count)
    bytes += Array(SHA256.hash(data: bytes))
    return bytes
  }

  /// Reads and checks the header of a file of which all bytes are given.
  init(_ file: UnsafeRawBufferPointer) throws(ListIndexError) {
    try Self.refuseOthers(file)
    let header = UnsafeRawBufferPointer(rebasing: file[..<IndexLayout.headerByteCount])
    let covered = UnsafeRawBufferPointer(rebasing: header[..<IndexLayout.headerHashOffset])
    guard SHA256.hash(data: covered).elementsEqual(header[IndexLayout.headerHashOffset...]) else {
      throw ListIndexError(.damaged("the header's checksum is wrong"))
    }
    guard let base = header.baseAddress, let head = IndexHead(header: base) else {
      throw ListIndexError(.damaged("the header has a name that cannot be"))
    }
    self.head = head
    sealedByteCount = base.little(16, as: UInt64.self)
    counts = SubjectCounts()
    for (index, kind) in Subject.Kind.allCases.enumerated() {
      counts[kind] = base.little(176 + 8 * index, as: UInt64.self)
      guard counts[kind] <= IndexLayout.mostSubjects else {
        throw ListIndexError(.damaged("it cannot hold as many subjects as it says"))
      }
    }
    for section in IndexLayout.Section.allCases {
      let offset = IndexLayout.Section.tableOffset + 16 * section.rawValue
      self.extents[section.rawValue] = Extent(
        offset: base.little(offset, as: UInt64.self),
        byteCount: base.little(offset + 8, as: UInt64.self))
    }
    classCount = base.little(320, as: UInt32.self)
    try checkExtents(fileByteCount: UInt64(file.count))
  }

  private static func refuseOthers(_ file: UnsafeRawBufferPointer) throws(ListIndexError) {
    guard file.count >= IndexLayout.magic.count, file.starts(with: IndexLayout.magic) else {
      throw ListIndexError(.notAnIndex)
    }
    guard file.count >= IndexLayout.headerByteCount, let base = file.baseAddress else {
      throw ListIndexError(.damaged("it ends within its header"))
    }
    let version = base.little(8, as: UInt32.self)
    guard version <= IndexLayout.version else { throw ListIndexError(.newerVersion(version)) }
    guard version == IndexLayout.version,
      base.little(12, as: UInt32.self) == UInt32(IndexLayout.headerByteCount)
    else { throw ListIndexError(.damaged("its version and header do not fit")) }
  }

  private func checkExtents(fileByteCount: UInt64) throws(ListIndexError) {
    let least = UInt64(IndexLayout.headerByteCount)
    let ending = UInt64(IndexLayout.hashByteCount + 4)
    guard fileByteCount >= least + ending, sealedByteCount >= least,
      sealedByteCount <= fileByteCount - ending, sealedByteCount <= IndexLayout.largestFile
    else { throw ListIndexError(.damaged("it is shorter than its header says")) }
    for section in IndexLayout.Section.allCases {
      let extent = self[section]
      guard extent.offset >= least, extent.offset <= sealedByteCount,
        extent.offset % UInt64(IndexLayout.blockAlignment) == 0,
        extent.byteCount <= sealedByteCount - extent.offset
      else { throw ListIndexError(.damaged("section \(section) is out of bounds")) }
    }
  }
}

extension IndexHead {
  fileprivate init?(header base: UnsafeRawPointer) {
    let name = base.text(32, upTo: OperatorCode.longestText)
    let content: IndexContent
    switch base.little(24, as: UInt64.self) {
    case 1:
      guard let code = OperatorCode(name) else { return nil }
      content = .feed(Feed(of: code))
    case 2:
      guard let scope = Scope(name) else { return nil }
      content = .scope(scope)
    default: return nil
    }
    guard let registry = RegistryName(base.text(48, upTo: RegistryName.longestText)) else {
      return nil
    }
    self.init(
      registry: registry, content: content,
      epoch: Epoch(
        high: base.little(80, as: UInt64.self), low: base.little(88, as: UInt64.self)),
      position: Position(base.little(96, as: UInt64.self)),
      digests: ScopeDigests(all: base.digest(112), own: base.digest(144)),
      issuedAt: Instant(secondsSinceEpoch: base.little(104, as: Int64.self)))
  }
}

extension UnsafeRawPointer {
  func digest(_ offset: Int) -> ListDigest {
    ListDigest(
      littleEndian: UnsafeRawBufferPointer(start: self + offset, count: ListDigest.byteCount))
  }

  /// ASCII up to the first zero byte.
  fileprivate func text(_ offset: Int, upTo longest: Int) -> String {
    let bytes = UnsafeRawBufferPointer(start: self + offset, count: longest)
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}

extension [UInt8] {
  fileprivate mutating func append(padded text: String, to width: Int) {
    append(contentsOf: text.utf8)
    append(contentsOf: repeatElement(0, count: width - text.utf8.count))
  }
}

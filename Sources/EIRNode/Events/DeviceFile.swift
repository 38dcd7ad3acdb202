#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What is known of subscribers' devices, on disk: records that are added, the last of a subscriber
/// counts. Readable by its owner only. Used by one thread at a time.
struct DeviceFile: Sendable {
  private static let header = Array("openceir-eir-dv1".utf8)
  private static let bufferBytes = 1 << 20

  private let path: String
  /// Whole records; what lies beyond was cut off by a crash.
  private(set) var recordCount = 0

  /// - Parameter recall: called for every record, from the oldest to the newest.
  /// - Returns: the number of records that were damaged; nil where the file is none of ours, which
  ///   then has to be written anew.
  static func recalled(
    from path: String, _ recall: (KnownDevice) -> Void
  ) throws(NodeError) -> (file: DeviceFile, damagedCount: Int?) {
    var found = DeviceFile(path: path)
    unlink(path + ".new")
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      guard errno == ENOENT else { throw .system("read", path: path) }
      return (found, nil)
    }
    defer { close(file) }
    var damagedCount: Int? = 0
    var isFirst = true
    try found.eachPiece(of: file) { bytes in
      if isFirst {
        isFirst = false
        if !bytes.elementsEqual(header) { damagedCount = nil }
      } else if let known = KnownDevice(bytes) {
        recall(known)
      } else {
        damagedCount = damagedCount.map { $0 + 1 }
      }
    }
    if isFirst { damagedCount = nil }
    return (found, damagedCount)
  }

  /// Calls `body` with the header and with each whole record.
  private mutating func eachPiece(
    of file: Int32, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(NodeError) {
    var (buffer, kept) = ([UInt8](repeating: 0, count: Self.bufferBytes), 0)
    var pieces = 0
    while true {
      let count = buffer.withUnsafeMutableBytes {
        read(file, $0.baseAddress! + kept, $0.count - kept)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system("read", path: path) }
      if count == 0 { break }
      let whole = (kept + count) / KnownDevice.bytes * KnownDevice.bytes
      buffer.withUnsafeBytes { bytes in
        for offset in stride(from: 0, to: whole, by: KnownDevice.bytes) {
          body(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + KnownDevice.bytes]))
        }
      }
      pieces += whole / KnownDevice.bytes
      kept += count - whole
      for index in 0..<kept { buffer[index] = buffer[whole + index] }
    }
    recordCount = max(0, pieces - 1)
  }

  private init(path: String) { self.path = path }

  /// Adds records behind the whole ones that are there.
  mutating func append(_ known: [KnownDevice]) throws(NodeError) {
    guard !known.isEmpty else { return }
    let file = open(path, O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { throw .system("write", path: path) }
    defer { close(file) }
    let end = off_t((recordCount + 1) * KnownDevice.bytes)
    guard ftruncate(file, end) == 0, lseek(file, end, SEEK_SET) == end,
      SmallFile.writeAll(Self.bytes(known), to: file), fdatasync(file) == 0
    else { throw .system("write", path: path) }
    recordCount += known.count
  }

  /// Puts another file in its place: after a crash it is the old or the new one.
  ///
  /// - Parameter each: hands over all that is known, some of it at a time.
  mutating func replace(
    _ each: (_ write: ([KnownDevice]) throws(NodeError) -> Void) throws(NodeError) -> Void
  ) throws(NodeError) {
    let temporary = path + ".new"
    unlink(temporary)
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw .system("write", path: temporary) }
    var isReplaced = false
    defer {
      close(file)
      if !isReplaced { unlink(temporary) }
    }
    guard SmallFile.writeAll(Self.header, to: file) else {
      throw .system("write", path: temporary)
    }
    var count = 0
    try each { (known) throws(NodeError) in
      guard SmallFile.writeAll(Self.bytes(known), to: file) else {
        throw .system("write", path: temporary)
      }
      count += known.count
    }
    guard fsync(file) == 0 else { throw .system("write", path: temporary) }
    guard rename(temporary, path) == 0 else { throw .system("rename", path: temporary) }
    isReplaced = true
    recordCount = count
    let slash = path.lastIndex(of: "/") ?? path.endIndex
    try SmallFile.synchronize(directory: String(path[..<slash]))
  }

  private static func bytes(_ known: [KnownDevice]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(known.count * KnownDevice.bytes)
    for known in known { known.write(into: &bytes) }
    return bytes
  }
}

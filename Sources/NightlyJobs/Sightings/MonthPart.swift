import Glibc
import RegistryStore

/// Sorted rows in a file without a name, which is gone when it is closed, or when the program ends
/// in whatever way: it holds personal data.
final class MonthPart {
  private static let bufferRows = 8_192
  /// mkstemp(3) puts something else into the place of the last six.
  private static let template = "/ceir-sightings." + String(repeating: "X", count: 6)

  private let file: Int32
  private let directory: String
  private let buffer: UnsafeMutablePointer<SightingRow>
  private var used = 0
  private var filled = 0

  init(in directory: String) throws(UnreadableFile) {
    var path = Array((directory + Self.template).utf8CString)
    let descriptor = mkstemp(&path)
    guard descriptor >= 0 else { throw UnreadableFile(temporary: directory, errno: errno) }
    unlink(path)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    file = descriptor
    self.directory = directory
    buffer = .allocate(capacity: Self.bufferRows)
  }

  deinit {
    close(file)
    buffer.deallocate()
  }

  func write(_ row: SightingRow) throws(UnreadableFile) {
    buffer[filled] = row
    filled += 1
    if filled == Self.bufferRows { try flush() }
  }

  private func flush() throws(UnreadableFile) {
    var bytes = UnsafeRawBufferPointer(UnsafeBufferPointer(start: buffer, count: filled))
    while !bytes.isEmpty {
      let count = Glibc.write(file, bytes.baseAddress, bytes.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw UnreadableFile(temporary: directory, errno: errno)
      }
      bytes = UnsafeRawBufferPointer(rebasing: bytes[count...])
    }
    filled = 0
  }

  /// From here on it is read.
  func rewind() throws(UnreadableFile) {
    try flush()
    guard lseek(file, 0, SEEK_SET) == 0 else {
      throw UnreadableFile(temporary: directory, errno: errno)
    }
    used = 0
  }

  func read() throws(UnreadableFile) -> SightingRow? {
    if used == filled {
      let target = UnsafeMutableRawBufferPointer(
        start: buffer, count: Self.bufferRows * MemoryLayout<SightingRow>.stride)
      var got = 0
      while got < target.count {
        let count = Glibc.read(file, target.baseAddress.map { $0 + got }, target.count - got)
        if count < 0 {
          if errno == EINTR { continue }
          throw UnreadableFile(temporary: directory, errno: errno)
        }
        if count == 0 { break }
        got += count
      }
      filled = got / MemoryLayout<SightingRow>.stride
      used = 0
      guard filled > 0 else { return nil }
    }
    defer { used += 1 }
    return buffer[used]
  }
}

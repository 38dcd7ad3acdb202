import Glibc
import RegistryStore

/// Sorted rows that wait in a file.
final class MonthPart {
  private static let bufferRows = 8_192

  private let file: NamelessFile
  private let directory: String
  private let buffer: UnsafeMutablePointer<SightingRow>
  private var used = 0
  private var filled = 0

  init(in directory: String) throws(UnreadableFile) {
    file = try NamelessFile(in: directory)
    self.directory = directory
    buffer = .allocate(capacity: Self.bufferRows)
  }

  deinit { buffer.deallocate() }

  func write(_ row: SightingRow) throws(UnreadableFile) {
    buffer[filled] = row
    filled += 1
    if filled == Self.bufferRows { try flush() }
  }

  private func flush() throws(UnreadableFile) {
    try file.write(UnsafeRawBufferPointer(UnsafeBufferPointer(start: buffer, count: filled)))
    filled = 0
  }

  /// From here on it is read.
  func rewind() throws(UnreadableFile) {
    try flush()
    guard lseek(file.descriptor, 0, SEEK_SET) == 0 else {
      throw UnreadableFile(noRoomIn: directory, errno: errno)
    }
    used = 0
  }

  func read() throws(UnreadableFile) -> SightingRow? {
    if used == filled {
      filled = try fill() / MemoryLayout<SightingRow>.stride
      used = 0
      guard filled > 0 else { return nil }
    }
    defer { used += 1 }
    return buffer[used]
  }

  private func fill() throws(UnreadableFile) -> Int {
    let target = UnsafeMutableRawBufferPointer(
      start: buffer, count: Self.bufferRows * MemoryLayout<SightingRow>.stride)
    var got = 0
    while got < target.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: target[got...])
      let count = Glibc.read(file.descriptor, rest.baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw UnreadableFile(noRoomIn: directory, errno: errno) }
      if count == 0 { break }
      got += count
    }
    return got
  }
}

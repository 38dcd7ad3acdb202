import Glibc

/// A file without a name, which is gone when it is closed, or when the program ends in whatever
/// way: it holds personal data.
final class NamelessFile: Sendable {
  let descriptor: Int32
  private let directory: String

  init(in directory: String) throws(UnreadableFile) {
    let unique = String(repeating: "X", count: 6)  // replaced by mkstemp
    var template = Array("\(directory)/ceir-import-\(unique)".utf8CString)
    // For its owner alone.
    descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw UnreadableFile(noRoomIn: directory, errno: errno) }
    unlink(template)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    self.directory = directory
  }

  deinit { close(descriptor) }

  var path: String { "/proc/self/fd/\(descriptor)" }

  func write(from source: Int32) throws(UnreadableFile) {
    let piece = UnsafeMutableRawBufferPointer.allocate(
      byteCount: FileHash.pieceBytes, alignment: 16)
    defer { piece.deallocate() }
    while true {
      let count = read(source, piece.baseAddress, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw UnreadableFile("standard input", errno: errno) }
      guard count > 0 else { return }
      try write(UnsafeRawBufferPointer(rebasing: piece[..<count]))
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(UnreadableFile) {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw UnreadableFile(noRoomIn: directory, errno: errno) }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }
}

import Glibc
package import RegistryFiles

/// A file that is taken in: it is read twice, for its hash and for its lines, and must be the same
/// both times. Standard input is written to a file first, which has no name and so is gone when
/// this is, however the program ends.
package final class InputFile: Sendable {
  /// What stands for standard input.
  package static let standardInput = "-"

  /// As reports call it and the import is recorded.
  package let name: String
  /// Where it can be opened, more than once.
  package let path: String
  package let sha256: [UInt8]
  private let state: FileState
  private let kept: NamelessFile?

  /// - Parameter temporaryDirectory: where standard input is kept meanwhile.
  package init(path: String, temporaryDirectory: String) throws {
    if path == Self.standardInput {
      let file = try NamelessFile(in: temporaryDirectory)
      try file.write(from: STDIN_FILENO)
      kept = file
      self.path = file.path
      name = "standard input"
    } else {
      kept = nil
      self.path = path
      name = FileName.last(of: path)
    }
    state = try FileState(path: self.path)
    sha256 = try FileHash.sha256(of: self.path)
  }

  /// Its bytes, unpacked.
  package func source(limits: FileLimits = FileLimits()) throws(RegistryFileError) -> ByteSource {
    try ByteSource.opened(path: path, fileName: name, limits: limits)
  }

  package func requireUnchanged() throws {
    guard try FileState(path: path) == state else { throw UnreadableFile(changed: name) }
  }
}

/// A file that only this process can reach.
private final class NamelessFile: Sendable {
  private let descriptor: Int32
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

  private func write(_ bytes: UnsafeRawBufferPointer) throws(UnreadableFile) {
    var written = 0
    while written < bytes.count {
      let count = Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw UnreadableFile(noRoomIn: directory, errno: errno) }
      written += count
    }
  }
}

import Glibc

/// A file that somebody else has put there, read in pieces: a plain file and nothing else.
final class OpenFile {
  enum Fault: Error, Hashable {
    /// A link, a folder, a pipe or a device.
    case notPlain
    /// Its owner has not let us.
    case notAllowed
  }

  private static let pieceBytes = 65_536

  let byteCount: Int
  let writtenAt: Int64
  private let path: String
  private let file: Int32

  /// Nil where there is none.
  init?(_ path: String) throws {
    self.path = path
    // A pipe must not be waited for, and a link not be followed.
    file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      if errno == ELOOP || errno == ENXIO { throw Fault.notPlain }
      if errno == EACCES || errno == EPERM { throw Fault.notAllowed }
      throw FileError("The file \(path) cannot be opened.")
    }
    var status = stat()
    guard fstat(file, &status) == 0 else {
      close(file)
      throw FileError("The file \(path) cannot be looked at.")
    }
    byteCount = Int(status.st_size)
    writtenAt = Int64(status.st_mtim.tv_sec)
    // All is initialised: from here on `deinit` closes.
    guard status.st_mode & S_IFMT == S_IFREG else { throw Fault.notPlain }
  }

  deinit { close(file) }

  /// Nil at the end.
  func next() throws -> [UInt8]? {
    let piece = try [UInt8](unsafeUninitializedCapacity: Self.pieceBytes) { buffer, count in
      while true {
        let got = read(file, buffer.baseAddress, buffer.count)
        if got < 0, errno == EINTR { continue }
        guard got >= 0 else { throw FileError("The file \(path) cannot be read.") }
        count = got
        return
      }
    }
    return piece.isEmpty ? nil : piece
  }

  /// All of it; nil where it is longer than `limit`.
  func whole(limit: Int) throws -> [UInt8]? {
    var bytes: [UInt8] = []
    while let piece = try next() {
      bytes += piece
      guard bytes.count <= limit else { return nil }
    }
    return bytes
  }
}

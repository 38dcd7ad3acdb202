import Crypto
import Glibc

enum FileName {
  static func last(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}

/// A file that cannot be read, and why.
package struct UnreadableFile: Error, CustomStringConvertible {
  package let description: String

  init(_ path: String, errno: Int32) {
    description = "The file \(path) cannot be read: \(String(cString: strerror(errno)))."
  }

  /// A pipe can be read once only, and a file is read twice: for its hash and for its lines.
  init(notAFile path: String) {
    description = "\(path) is not a file: write it to one first, or to standard input with -."
  }

  init(noRoomIn directory: String, errno: Int32) {
    description =
      "There is no room in \(directory) for what is being taken in: "
      + "\(String(cString: strerror(errno))). Nothing was changed; TMPDIR can name "
      + "another directory."
  }

  init(changed path: String) {
    description = "The file \(path) changed while it was read: nothing was taken in. Try again."
  }
}

/// What tells that a file is still what it was: the lines that are taken in must be those of the
/// hash.
struct FileState: Equatable {
  private let device: UInt
  private let inode: UInt
  private let bytes: Int
  private let changeSeconds: Int
  private let changeNanoseconds: Int

  init(path: String) throws(UnreadableFile) {
    var state = stat()
    guard stat(path, &state) == 0 else { throw UnreadableFile(path, errno: errno) }
    guard state.st_mode & S_IFMT == S_IFREG else { throw UnreadableFile(notAFile: path) }
    device = UInt(state.st_dev)
    inode = UInt(state.st_ino)
    bytes = Int(state.st_size)
    changeSeconds = Int(state.st_ctim.tv_sec)
    changeNanoseconds = Int(state.st_ctim.tv_nsec)
  }
}

enum FileHash {
  static let pieceBytes = 1 << 20

  static func sha256(of path: String) throws(UnreadableFile) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw UnreadableFile(path, errno: errno) }
    defer { close(file) }
    var hash = SHA256()
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 16)
    defer { piece.deallocate() }
    while true {
      let count = read(file, piece.baseAddress, piece.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw UnreadableFile(path, errno: errno)
      }
      guard count > 0 else { return Array(hash.finalize()) }
      hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: piece[..<count]))
    }
  }
}

enum Hexadecimal {
  static func text(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

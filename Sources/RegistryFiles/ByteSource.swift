import Glibc

/// Where the bytes of a file come from: a path, or memory.
package struct ByteSource: ~Copyable, Sendable {
  private enum Origin: Sendable {
    case descriptor(Int32)
    /// Handed out in pieces of the given sizes, over and over.
    case memory([UInt8], pieces: [Int])
  }

  private let origin: Origin
  private var bytesRead = 0
  private var piecesRead = 0

  /// Opens a file.
  package init(path: String) throws(RegistryFileError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw RegistryFileError(.unreadable(errno: errno), fileName: path)
    }
    origin = .descriptor(descriptor)
  }

  package init(bytes: [UInt8], pieces: [Int] = [.max]) {
    origin = .memory(bytes, pieces: pieces.filter { $0 > 0 })
  }

  deinit {
    if case .descriptor(let descriptor) = origin { close(descriptor) }
  }

  /// As many bytes as are at hand, at least one unless the end is reached.
  mutating func read(
    into target: UnsafeMutableRawBufferPointer
  ) throws(RegistryFileError) -> Int {
    switch origin {
    case .descriptor(let descriptor):
      while true {
        let count = Glibc.read(descriptor, target.baseAddress, target.count)
        if count >= 0 { return count }
        guard errno == EINTR else { throw RegistryFileError(.unreadable(errno: errno)) }
      }
    case .memory(let bytes, let pieces):
      let piece = pieces.isEmpty ? Int.max : pieces[piecesRead % pieces.count]
      let count = min(piece, bytes.count - bytesRead, target.count)
      bytes[bytesRead..<bytesRead + count].withUnsafeBytes { target.copyMemory(from: $0) }
      bytesRead += count
      piecesRead += 1
      return count
    }
  }
}

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
  /// What the descriptor's bytes are restored with; absent where they are read as they are.
  private var restorer: Restorer?
  private let isPacked: Bool

  /// Opens a file that is read as it is.
  package init(path: String) throws(RegistryFileError) {
    self.init(descriptor: try Self.descriptor(path))
  }

  package init(bytes: [UInt8], pieces: [Int] = [.max]) {
    origin = .memory(bytes, pieces: pieces.filter { $0 > 0 })
    restorer = nil
    isPacked = false
  }

  private init(descriptor: Int32) {
    origin = .descriptor(descriptor)
    restorer = nil
    isPacked = false
  }

  private init(descriptor: Int32, restorer: consuming Restorer) {
    origin = .descriptor(descriptor)
    self.restorer = consume restorer
    isPacked = true
  }

  /// Opens a file that may be packed: gzip and zip are told by their first bytes, not by their
  /// names. Of a zip file the one file in it is read, or the one that is named like it.
  ///
  /// `fileName` is what the file is called, where the path does not say it.
  package static func opened(
    path: String, fileName: String? = nil, limits: FileLimits = FileLimits()
  ) throws(RegistryFileError) -> ByteSource {
    let descriptor = try descriptor(path)
    do throws(RegistryFileError) {
      switch try PackedForm.of(descriptor) {
      case .plain: return ByteSource(descriptor: descriptor)
      case .gzip:
        return ByteSource(descriptor: descriptor, restorer: try .gzip(limits: limits))
      case .zip:
        let member = try ZipDirectory(descriptor, limits: limits).member(for: fileName ?? path)
        let restorer = try Restorer.zip(member, limits: limits)
        try descriptor.go(to: try member.start(in: descriptor))
        return ByteSource(descriptor: descriptor, restorer: restorer)
      }
    } catch {
      close(descriptor)
      throw error.fileName.isEmpty ? error.named(fileName ?? path) : error
    }
  }

  deinit {
    if case .descriptor(let descriptor) = origin { close(descriptor) }
  }

  private static func descriptor(_ path: String) throws(RegistryFileError) -> Int32 {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw RegistryFileError(.unreadable(errno: errno), fileName: path)
    }
    return descriptor
  }

  /// As many bytes as are at hand, at least one unless the end is reached.
  mutating func read(
    into target: UnsafeMutableRawBufferPointer
  ) throws(RegistryFileError) -> Int {
    switch origin {
    case .descriptor(let descriptor):
      return isPacked
        ? try restorer!.read(into: target, from: descriptor)
        : try descriptor.readSome(into: target)
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

/// A file descriptor.
extension Int32 {
  /// 0 at the end of the file.
  func readSome(into target: UnsafeMutableRawBufferPointer) throws(RegistryFileError) -> Int {
    while true {
      let count = Glibc.read(self, target.baseAddress, target.count)
      if count >= 0 { return count }
      guard errno == EINTR else { throw RegistryFileError(.unreadable(errno: errno)) }
    }
  }

  func go(to offset: Int) throws(RegistryFileError) {
    guard lseek(self, off_t(offset), SEEK_SET) == off_t(offset) else {
      throw RegistryFileError(.unreadable(errno: errno))
    }
  }

  /// So many bytes from a place in the file, or fewer where it ends.
  func bytes(_ count: Int, at offset: Int) throws(RegistryFileError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let read = bytes.withUnsafeMutableBytes {
        pread(self, $0.baseAddress! + filled, count - filled, off_t(offset + filled))
      }
      if read < 0, errno == EINTR { continue }
      guard read >= 0 else { throw RegistryFileError(.unreadable(errno: errno)) }
      guard read > 0 else { break }
      filled += read
    }
    return Array(bytes[..<filled])
  }
}

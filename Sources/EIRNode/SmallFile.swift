#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Files of a few kilobytes, read and written whole.
enum SmallFile {
  static let longestBytes = 1 << 20

  /// Replaces the file: after a crash it is the old or the new one, never half of it.
  static func replace(
    _ path: String, with bytes: [UInt8], mode: mode_t = 0o644
  ) throws(NodeError) {
    let temporary = path + ".new"
    // One that a crash has left behind may have another mode.
    unlink(temporary)
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard file >= 0 else { throw .system("write", path: temporary) }
    let isWritten = writeAll(bytes, to: file) && fsync(file) == 0
    let failure = isWritten ? nil : NodeError.system("write", path: temporary)
    close(file)
    if let failure {
      unlink(temporary)
      throw failure
    }
    guard rename(temporary, path) == 0 else { throw .system("rename", path: temporary) }
  }

  /// It may be gone already.
  static func remove(_ path: String) throws(NodeError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw .system("remove", path: path) }
  }

  /// Makes the names in a directory durable.
  static func synchronize(directory: String) throws(NodeError) {
    let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw .system("open", path: directory) }
    defer { close(folder) }
    guard fsync(folder) == 0 else { throw .system("write", path: directory) }
  }

  /// Nil where there is no such file.
  static func content(of path: String) throws(NodeError) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw .system("read", path: path)
    }
    defer { close(file) }
    return try content(of: file, path: path)
  }

  /// From where the open file stands to its end.
  static func content(
    of file: Int32, path: String, most: Int = longestBytes
  ) throws(NodeError) -> [UInt8] {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = read(file, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system("read", path: path) }
      if count == 0 { return bytes }
      bytes += piece[..<count]
      guard bytes.count <= most else {
        throw NodeError(.file, "\(path) is longer than \(most) bytes")
      }
    }
  }

  /// False with `errno` set.
  static func writeAll(_ bytes: some Collection<UInt8>, to file: Int32) -> Bool {
    let array = ContiguousArray(bytes)
    return array.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let count = write(file, buffer.baseAddress! + done, buffer.count - done)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        done += count
      }
      return true
    }
  }
}

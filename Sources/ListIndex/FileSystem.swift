internal import Glibc

/// The system calls that make a change of files durable.
enum FileSystem {
  static func failure(_ operation: String, _ path: String) -> ListIndexError {
    ListIndexError(.system(operation: operation, errno: errno), path: path)
  }

  static func openForReading(_ path: String) throws(ListIndexError) -> Int32 {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open a file", path) }
    return descriptor
  }

  /// Empty, whatever was there.
  static func create(_ path: String) throws(ListIndexError) -> Int32 {
    let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { throw failure("create a file", path) }
    return descriptor
  }

  static func size(of descriptor: Int32, _ path: String) throws(ListIndexError) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure("look at a file", path) }
    return Int(status.st_size)
  }

  static func write(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int, _ path: String
  ) throws(ListIndexError) {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure("write to a file", path) }
      done += count
    }
  }

  static func synchronize(_ descriptor: Int32, _ path: String) throws(ListIndexError) {
    guard fsync(descriptor) == 0 else { throw failure("make a file durable", path) }
  }

  /// Makes creations, renames and removals in the directory durable.
  static func synchronize(directory path: String) throws(ListIndexError) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open a directory", path) }
    defer { close(descriptor) }
    try synchronize(descriptor, path)
  }

  static func rename(_ source: String, to target: String) throws(ListIndexError) {
    guard Glibc.rename(source, target) == 0 else { throw failure("rename a file", source) }
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Removes a file that nobody needs any more; one that cannot be removed is met again at the
  /// next start and harms nothing.
  static func removeIfPossible(_ path: String) { _ = unlink(path) }

  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func names(in directory: String) throws(ListIndexError) -> [String] {
    guard let stream = opendir(directory) else { throw failure("read a directory", directory) }
    defer { closedir(stream) }
    var names: [String] = []
    while let item = readdir(stream) {
      let name = withUnsafeBytes(of: item.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  static func makeDirectory(_ path: String) throws(ListIndexError) {
    guard mkdir(path, 0o750) == 0 || errno == EEXIST else {
      throw failure("create a directory", path)
    }
  }

  /// Writes a small file beside, makes it durable and puts it into place.
  static func replace(_ path: String, with bytes: [UInt8]) throws(ListIndexError) {
    let part = path + ".part"
    do {
      let descriptor = try create(part)
      defer { close(descriptor) }
      try write(bytes, to: descriptor, part)
      try synchronize(descriptor, part)
      try rename(part, to: path)
    } catch {
      removeIfPossible(part)
      throw error
    }
    try synchronize(directory: parent(of: path))
  }

  static func write(
    _ bytes: [UInt8], to descriptor: Int32, at offset: Int = 0, _ path: String
  ) throws(ListIndexError) {
    var failure: ListIndexError?
    bytes.withUnsafeBytes { buffer in
      do throws(ListIndexError) {
        try write(buffer, to: descriptor, at: offset, path)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }
}

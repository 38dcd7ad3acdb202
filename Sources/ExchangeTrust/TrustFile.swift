// In a release build it is this module that defines `stat`.
import CoreFoundation
import Glibc

/// Files of certificates and keys: read whole, written beside and put into place.
enum TrustFile {
  /// The longest file taken, in bytes: a chain of four has about 4,000.
  static let longestBytes = 65_536

  static let privateMode: mode_t = 0o600
  static let publicMode: mode_t = 0o644

  /// What tells one content of a file from another without reading it.
  struct Stamp: Hashable, Sendable {
    private let device: UInt64
    private let inode: UInt64
    private let bytes: Int64
    private let seconds: Int
    private let nanoseconds: Int

    /// Nil where there is no file.
    init?(_ path: String) {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      device = UInt64(status.st_dev)
      inode = UInt64(status.st_ino)
      bytes = Int64(status.st_size)
      seconds = status.st_mtim.tv_sec
      nanoseconds = status.st_mtim.tv_nsec
    }
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// - Throws: `missing` where there is no file.
  static func read(_ path: String) throws(TrustError) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { throw TrustError(.missing, "\(path) is not there") }
      throw failure(.unreadable, "\(path) cannot be read")
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = Glibc.read(descriptor, &part, part.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure(.unreadable, "\(path) cannot be read") }
      guard count > 0 else { break }
      bytes += part[..<count]
      guard bytes.count <= longestBytes else {
        throw TrustError(.unreadable, "\(path) is longer than \(longestBytes) bytes")
      }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw TrustError(.unreadable, "\(path) is no text")
    }
    return text
  }

  /// Writes a file beside, makes it durable and puts it into place, whatever was there.
  static func replace(_ path: String, with text: String, mode: mode_t) throws(TrustError) {
    var generator = SystemRandomNumberGenerator()
    let part =
      path + ".part-" + String(UInt32.random(in: .min ... .max, using: &generator), radix: 16)
    do throws(TrustError) {
      try write(part, text, mode: mode)
      guard rename(part, path) == 0 else {
        throw failure(.unwritable, "\(path) cannot be written")
      }
    } catch {
      _ = unlink(part)
      throw error
    }
    try synchronize(directory: parent(of: path))
  }

  /// Writes a file that must not be there yet.
  static func write(_ path: String, _ text: String, mode: mode_t) throws(TrustError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else {
      if errno == EEXIST { throw TrustError(.exists, "\(path) is there already") }
      throw failure(.unwritable, "\(path) cannot be written")
    }
    defer { close(descriptor) }
    // Whatever the process's mask took away: the owner reads, and nobody reads a key.
    guard fchmod(descriptor, mode) == 0 else {
      throw failure(.unwritable, "\(path) cannot be written")
    }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure(.unwritable, "\(path) cannot be written") }
      rest = rest.dropFirst(count)
    }
    guard fsync(descriptor) == 0 else { throw failure(.unwritable, "\(path) cannot be written") }
  }

  static func makeDirectory(_ path: String) throws(TrustError) {
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw failure(.unwritable, "the folder \(path) cannot be made")
    }
  }

  static func move(_ source: String, to target: String) throws(TrustError) {
    guard rename(source, target) == 0 else {
      throw failure(.unwritable, "\(source) cannot be put into the place of \(target)")
    }
  }

  /// Makes creations and renames in the folder durable.
  static func synchronize(directory path: String) throws(TrustError) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw failure(.unwritable, "the folder \(path) cannot be opened")
    }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else {
      throw failure(.unwritable, "the folder \(path) cannot be made durable")
    }
  }

  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func failure(_ code: TrustError.Code, _ text: String) -> TrustError {
    let reason = String(cString: strerror(errno))
    return TrustError(code, "\(text): \(reason)")
  }
}

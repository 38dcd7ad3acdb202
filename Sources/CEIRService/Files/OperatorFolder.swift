import DeviceLists
import Glibc

/// The folders of one operator: `Schema/exchange/files.md`.
struct OperatorFolder: Sendable {
  let path: String

  var outbox: String { path + "/outbox" }
  var inbox: String { path + "/inbox" }
  var responses: String { path + "/responses" }
  var archive: String { path + "/archive" }
  var work: String { path + "/work" }

  init(of code: OperatorCode, in directory: String) { path = "\(directory)/\(code)" }

  /// Makes what is missing. What an administrator has made keeps its owner and its rights.
  func prepare() throws {
    let folders: [(String, mode_t)] = [
      (path, 0o755), (outbox, 0o750), (inbox, 0o770), (responses, 0o750), (archive, 0o700),
      (work, 0o700),
    ]
    for (folder, mode) in folders where mkdir(folder, mode) != 0 && errno != EEXIST {
      throw FileError("The folder \(folder) cannot be made.")
    }
  }
}

/// Changes of folders that a crash leaves whole.
enum Folder {
  /// What is in a folder, but for what begins with a dot, in the order of the names.
  static func names(_ path: String) throws -> [String] {
    guard let stream = opendir(path) else {
      throw FileError("The folder \(path) cannot be read.")
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let item = readdir(stream) {
      let name = withUnsafeBytes(of: item.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  /// Makes creations, renames and removals durable.
  static func synchronize(_ path: String) throws {
    let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw FileError("The folder \(path) cannot be opened.") }
    defer { close(folder) }
    guard fsync(folder) == 0 else { throw FileError("The folder \(path) cannot be made durable.") }
  }

  static func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
  }

  static func move(_ source: String, to target: String) throws {
    guard rename(source, target) == 0 else { throw FileError("\(source) cannot be renamed.") }
  }

  /// A second name for a whole file: it appears at once, and with all its bytes.
  static func link(_ source: String, to target: String) throws {
    guard Glibc.link(source, target) == 0 || errno == EEXIST else {
      throw FileError("\(target) cannot be made.")
    }
  }

  static func remove(_ path: String) throws {
    guard unlink(path) == 0 || errno == ENOENT else {
      throw FileError("\(path) cannot be removed.")
    }
  }

  /// When the file was written last; nil where there is none.
  static func writtenAt(_ path: String) -> Instant? {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    return Instant(secondsSinceEpoch: Int64(status.st_mtim.tv_sec))
  }
}

/// Keeps a second process away from the same files; the system lets go of it when the process ends.
final class FilesLock: Sendable {
  private let file: Int32

  /// Nil while another process has it.
  init?(directory: String) throws {
    let path = directory + "/.lock"
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw FileError("The file \(path) cannot be opened.") }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else { return nil }
  }

  deinit { close(file) }
}

import DeviceLists
import Foundation
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
  /// What is in a folder, but for what begins with a dot, in the order of the names: no more than
  /// `most` of those that are wanted.
  static func names(
    _ path: String, most: Int = .max, where isWanted: (String) throws -> Bool = { _ in true }
  ) throws -> [String] {
    var names: [String] = []
    try forEachName(path) { bytes in
      let name = String(decoding: bytes, as: UTF8.self)
      if try isWanted(name) { names.append(name) }
      return names.count < most
    }
    return names.sorted()
  }

  /// Gives names that are no text, and by which nothing can be found here, one that is.
  static func makeReadable(_ path: String, most: Int) throws {
    var unreadable: [[UInt8]] = []
    try forEachName(path) { bytes in
      if String(validating: bytes, as: UTF8.self) == nil { unreadable.append(bytes) }
      return unreadable.count < most
    }
    for bytes in unreadable {
      let base = "\(path)/\(shown(bytes))"
      var place = 0
      while exists("\(base)-\(place)") { place += 1 }
      let source = Array("\(path)/".utf8) + bytes + [0]
      let isMoved = source.withUnsafeBytes { source in
        source.baseAddress.map {
          rename($0.assumingMemoryBound(to: CChar.self), "\(base)-\(place)") == 0
        }
      }
      guard isMoved == true || errno == ENOENT else {
        throw FileError("\(base) cannot be renamed.")
      }
    }
  }

  /// A name that is safe everywhere: letters, digits, dots, hyphens and underscores, and `%` with
  /// two digits for each other byte; cut where it is long.
  static func shown(_ name: some Sequence<UInt8>) -> String {
    var text = ""
    for byte in name {
      guard text.utf8.count < longestShownName else { break }
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F:
        text.unicodeScalars.append(Unicode.Scalar(byte))
      default: text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return text
  }

  private static let longestShownName = 100

  /// - Parameter body: gets each name that does not begin with a dot; false: no more.
  private static func forEachName(
    _ path: String, _ body: ([UInt8]) throws -> Bool
  ) throws {
    guard let stream = opendir(path) else {
      throw FileError("The folder \(path) cannot be read.")
    }
    defer { closedir(stream) }
    while let item = readdir(stream) {
      let name = withUnsafeBytes(of: item.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if name.first != UInt8(ascii: "."), try !body(name) { return }
    }
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

  /// Whatever it is: an operator may have left a folder.
  static func removeAny(_ path: String) throws {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch CocoaError.fileNoSuchFile {
      return
    } catch {
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

import Glibc

/// The directory of a CEIR: its lists, its token and, embedded, its cluster.
package enum DataDirectory {
  /// The directory and those above it, as far as they are missing. The cluster's own user must pass
  /// through it; what is secret inside has its own rights.
  package static func create(_ path: String) throws {
    var missing: [String] = []
    var current = path
    while access(current, F_OK) != 0 {
      missing.append(current)
      guard let slash = current.lastIndex(of: "/"), slash != current.startIndex else { break }
      current = String(current[..<slash])
    }
    for directory in missing.reversed() where mkdir(directory, 0o755) != 0 && errno != EEXIST {
      throw FileError("The directory \(directory) cannot be made.")
    }
    for inner in ["lists", "lists/snapshots"] {
      if mkdir("\(path)/\(inner)", 0o700) != 0, errno != EEXIST {
        throw FileError("The directory \(path)/\(inner) cannot be made.")
      }
    }
  }
}

/// Keeps a second `ceir serve` away from the same directory; the system lets go of it when the
/// process ends, however it ends.
struct DirectoryLock {
  private let file: Int32

  init(directory: String) throws {
    let path = "\(directory)/ceir.lock"
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw FileError("The file \(path) cannot be opened.") }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      close(file)
      throw SettingsError(
        "Another ceir serves from \(directory) already: stop it first, or give this one another "
          + "data.directory.")
    }
  }

  func release() { close(file) }
}

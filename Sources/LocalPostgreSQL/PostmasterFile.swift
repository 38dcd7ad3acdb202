internal import Foundation

#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

/// `postmaster.pid`: who serves a cluster. Lines as in PostgreSQL's pidfile.h.
struct PostmasterFile: Equatable, Sendable {
  static let byteLimit = 8192

  let pid: pid_t
  let dataDirectory: String
  let socketDirectory: String
  let isReady: Bool

  init?(text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard lines.count >= 2, let pid = pid_t(lines[0].trimmingCharacters(in: .whitespaces)), pid > 1
    else { return nil }
    self.pid = pid
    dataDirectory = lines[1]
    socketDirectory = lines.count > 4 ? lines[4] : ""
    isReady = lines.count > 7 && lines[7].trimmingCharacters(in: .whitespaces) == "ready"
  }

  static func read(_ path: String) -> PostmasterFile? {
    guard let data = FileManager.default.contents(atPath: path), data.count <= byteLimit else {
      return nil
    }
    return PostmasterFile(text: String(decoding: data, as: UTF8.self))
  }

  /// True while the process that it names is a PostgreSQL server of this very cluster, and not
  /// another that got its number after a crash. Where the system hides another user's directory
  /// (a container's root without CAP_SYS_PTRACE), a PostgreSQL server counts as ours.
  var isServed: Bool {
    guard ServerProcesses.isPostgres(pid) else { return false }
    return ServerProcesses.workingDirectory(pid) ?? dataDirectory == dataDirectory
  }

  /// A stranger got the number of a server that died.
  var isNumberTaken: Bool { !isServed && (kill(pid, 0) == 0 || errno == EPERM) }
}

/// What `/proc` tells about servers.
enum ServerProcesses {
  static func isPostgres(_ pid: pid_t) -> Bool {
    let name = FileManager.default.contents(atPath: "/proc/\(pid)/comm") ?? Data()
    return String(decoding: name, as: UTF8.self).hasPrefix("postgres") && !isZombie(pid)
  }

  /// A server and its children work in their data directory.
  static func workingDirectory(_ pid: pid_t) -> String? {
    // The process may end while it is looked at.
    try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")
  }

  /// Children that a killed server left behind; they keep its shared memory, and with it a new
  /// server out.
  static func working(in dataDirectory: String) -> [pid_t] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0) }.filter {
      isPostgres($0) && workingDirectory($0) == dataDirectory
    }
  }

  /// "pid (comm) state …": a zombie is dead.
  private static func isZombie(_ pid: pid_t) -> Bool {
    let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat") ?? Data()
    let text = String(decoding: data, as: UTF8.self)
    guard let end = text.lastIndex(of: ")") else { return true }
    return text[end...].dropFirst(2).first == "Z"
  }
}

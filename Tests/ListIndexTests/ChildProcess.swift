import Glibc
import Testing

@testable import ListIndex

/// This test program once more, to be killed or to be given limits: it runs the one test that its
/// environment names and writes to a pipe.
struct ChildProcess {
  static let variable = "LIST_INDEX_CHILD"

  let process: pid_t
  private let output: Int32

  /// What a child is asked to do; nil in the parent.
  static var task: (name: String, directory: String)? {
    guard let value = getenv(variable) else { return nil }
    let parts = String(cString: value).split(separator: " ", maxSplits: 1).map(String.init)
    return parts.count == 2 ? (parts[0], parts[1]) : nil
  }

  init(task: String, directory: String, test: String) throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], 3)
    let arguments = ["list-index-child", "--testing-library", "swift-testing", "--filter", test]
    var environment = ["\(Self.variable)=\(task) \(directory)"]
    for name in ["LD_LIBRARY_PATH", "PATH"] {
      if let value = getenv(name) { environment.append("\(name)=\(String(cString: value))") }
    }
    var child = pid_t()
    let status = Self.withCStrings(arguments) { arguments in
      Self.withCStrings(environment) { environment in
        posix_spawn(&child, "/proc/self/exe", &actions, nil, arguments, environment)
      }
    }
    close(ends[1])
    try #require(status == 0)
    process = child
    output = ends[0]
  }

  private static func withCStrings<Result>(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
  }

  /// Reads until `enough` or the end; gives the last line that was whole.
  func lastLine(until enough: (Int) -> Bool) -> String? {
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !enough(text.count { $0 == 0x0A }) {
      let count = read(output, &buffer, buffer.count)
      guard count > 0 else { break }
      text += buffer[..<count]
    }
    let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
    return lines.last.map { String(decoding: $0, as: UTF8.self) }
  }

  func kill() { _ = Glibc.kill(process, SIGKILL) }

  /// The exit status, or 128 and the signal.
  func wait() -> Int32 {
    var status: Int32 = 0
    waitpid(process, &status, 0)
    close(output)
    return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
  }

  /// In the child: one line to the parent.
  static func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = write(3, bytes, bytes.count)
  }
}

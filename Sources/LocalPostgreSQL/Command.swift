internal import Foundation

#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

/// A program to run: with a clean environment (PGPORT and the like would change the server), in
/// `/`, in a session of its own, so that Ctrl-C in a terminal reaches us and not the server.
struct Command: Sendable {
  var path: String
  var arguments: [String]
  /// Steps down to this user first.
  var user: ServerUser?

  static let directoryProgram = "/usr/bin/env"
  static let stepDownProgram = "/usr/bin/setpriv"
  /// POSIX_SPAWN_SETSID of glibc and musl, which Swift's modules hide.
  private static let newSession: Int16 = 0x80
  static let outputByteLimit = 65_536
  static let pollInterval: Duration = .milliseconds(5)

  private var words: [String] {
    let inRoot = [Self.directoryProgram, "-C", "/"]
    guard let user, user.stepsDown else { return inRoot + [path] + arguments }
    return inRoot + [
      Self.stepDownProgram, "--reuid", user.name, "--regid", "\(user.gid)", "--init-groups", "--",
      path,
    ] + arguments
  }

  /// Starts it; both outputs go to the end of a file.
  func start(outputFile: String) throws(LocalPostgreSQLError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    let flags = O_WRONLY | O_CREAT | O_APPEND
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, outputFile, flags, 0o600)
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
    for file in Self.inheritableFiles { posix_spawn_file_actions_addclose(&actions, file) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(
      &attributes,
      Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF) | Self.newSession)
    return try spawn(&actions, &attributes)
  }

  /// Descriptors that may be opened in another thread while the child is being made.
  private static let openedMeanwhile: Int32 = 64

  /// All that we have open, for the child to close: a listening socket of ours would otherwise
  /// stay open as long as the server lives. Closing what is not open does no harm.
  private static var inheritableFiles: ClosedRange<Int32> {
    let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    let highest = open.compactMap { Int32($0) }.max() ?? STDERR_FILENO
    let limit = Int32(clamping: sysconf(Int32(_SC_OPEN_MAX)) - 1)
    let first = STDERR_FILENO + 1
    return first...max(first, min(highest + openedMeanwhile, limit))
  }

  private func spawn(
    _ actions: inout posix_spawn_file_actions_t, _ attributes: inout posix_spawnattr_t
  ) throws(LocalPostgreSQLError) -> pid_t {
    let words = words
    let environment = ["PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"]
    var argv = words.map { strdup($0) } + [nil]
    var envp = environment.map { strdup($0) } + [nil]
    defer { for text in argv + envp { free(text) } }
    var pid: pid_t = 0
    let status = posix_spawn(&pid, words[0], &actions, &attributes, &argv, &envp)
    guard status == 0 else {
      throw LocalPostgreSQLError(
        .startFailed, "\(words[0]) cannot be started", logText: String(cString: strerror(status)))
    }
    return pid
  }

  /// Runs it to its end; what it wrote, up to a limit.
  func output(
    within limit: Duration
  ) async throws(LocalPostgreSQLError) -> (status: Int32, text: String) {
    let file = NSTemporaryDirectory() + "/ceir-\(UUID().uuidString)"
    defer { unlink(file) }
    let child = ChildProcess(pid: try start(outputFile: file))
    let deadline = ContinuousClock.now + limit
    while child.isRunning {
      if ContinuousClock.now >= deadline { kill(child.pid, SIGKILL) }
      // Cut short, the sleep only polls sooner; the child's end is what counts.
      try? await Task.sleep(for: Self.pollInterval)
    }
    let data = FileManager.default.contents(atPath: file) ?? Data()
    return (child.exitStatus, String(decoding: data.suffix(Self.outputByteLimit), as: UTF8.self))
  }
}

/// A child whose end is asked for, never waited for. Reaped once; used by one task at a time.
final class ChildProcess {
  let pid: pid_t
  private(set) var exitStatus: Int32 = -1
  private var hasEnded = false

  init(pid: pid_t) { self.pid = pid }

  var isRunning: Bool {
    if hasEnded { return false }
    var status: Int32 = 0
    let reaped = waitpid(pid, &status, WNOHANG)
    if reaped == 0 || (reaped < 0 && errno == EINTR) { return true }
    hasEnded = true
    // WIFEXITED and WEXITSTATUS are macros that Swift does not see.
    if reaped == pid, status & 0x7F == 0 { exitStatus = status >> 8 & 0xFF }
    return false
  }
}

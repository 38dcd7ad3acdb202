import Foundation

/// One of our commands, or a tool, run as a process of its own with its output in files. Nothing
/// here blocks a thread: a server in the test's own process goes on meanwhile.
///
/// `@unchecked Sendable`: used by the one test that made it.
package final class Program: @unchecked Sendable {
  package struct Result: Sendable {
    package let status: Int32
    package let output: String
    package let errors: String
  }

  /// For one that has not much to do.
  package static let longestRunSeconds = 60

  /// Where the build has put the commands: the tests lie beside them.
  private static let directory: URL = {
    var directory = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    while directory.path != "/", !isExecutable(directory.appending(path: "ceir")) {
      directory.deleteLastPathComponent()
    }
    return directory
  }()

  private let process = Process()
  private let outputFile: URL
  private let errorFile: URL

  /// - Parameters:
  ///   - name: one of our commands, or the path of a tool.
  ///   - folder: receives what it writes.
  ///   - environment: nil for that of the tests.
  package init(
    _ name: String, _ arguments: [String], in folder: String, environment: [String: String]? = nil
  ) throws {
    let base = "\(folder)/\(UUID().uuidString)"
    outputFile = URL(fileURLWithPath: base + ".out")
    errorFile = URL(fileURLWithPath: base + ".err")
    process.executableURL = URL(fileURLWithPath: Self.path(of: name))
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    if let environment { process.environment = environment }
    for file in [outputFile, errorFile] { try Data().write(to: file) }
    let handles = try [outputFile, errorFile].map(FileHandle.init(forWritingTo:))
    process.standardOutput = handles[0]
    process.standardError = handles[1]
    try Self.unblockingSignals { try process.run() }
    // Foundation keeps them as long as it keeps the process, and fails beyond a thousand.
    for handle in handles { try handle.close() }
  }

  /// A child begins with the signal mask of the thread that makes it, and threads of the runtime
  /// block nearly all: most programs could then only be killed.
  private static func unblockingSignals(_ body: () throws -> Void) rethrows {
    var (none, former) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &former)
    defer { pthread_sigmask(SIG_SETMASK, &former, nil) }
    try body()
  }

  package static func path(of name: String) -> String {
    name.hasPrefix("/") ? name : directory.appending(path: name).path
  }

  package var identifier: Int32 { process.processIdentifier }
  package var isRunning: Bool { process.isRunning }

  package var output: String { (try? String(contentsOf: outputFile, encoding: .utf8)) ?? "" }
  package var errors: String { (try? String(contentsOf: errorFile, encoding: .utf8)) ?? "" }

  package func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Waits for a line of its output and returns what stands after `mark` up to `end`.
  package func word(after mark: String, until end: Character) async throws -> String {
    var word = ""
    try await eventually("the line \"\(mark)\" (\(errors.suffix(500)))") {
      guard let range = self.output.range(of: mark) else {
        guard self.isRunning else { throw NotInTime(description: "it ended: \(self.errors)") }
        return false
      }
      let rest = self.output[range.upperBound...]
      guard let stop = rest.firstIndex(where: { $0 == end || $0.isNewline }) else { return false }
      word = String(rest[..<stop])
      return true
    }
    return word
  }

  package func end(within seconds: Int = longestRunSeconds) async throws -> Result {
    try await eventually("the end of a program", within: seconds) { !self.process.isRunning }
    return Result(status: process.terminationStatus, output: output, errors: errors)
  }

  package static func run(
    _ name: String, _ arguments: [String], in folder: String,
    environment: [String: String]? = nil, within seconds: Int = longestRunSeconds
  ) async throws -> Result {
    try await Program(name, arguments, in: folder, environment: environment).end(within: seconds)
  }

  /// Where nothing else is kept.
  package static func run(
    _ name: String, _ arguments: [String], environment: [String: String]? = nil
  ) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "program-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await run(name, arguments, in: folder.path, environment: environment)
  }

  private static func isExecutable(_ url: URL) -> Bool {
    FileManager.default.isExecutableFile(atPath: url.path)
  }
}

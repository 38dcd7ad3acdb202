import Foundation
import Simulation

/// One of our commands, or a tool, run as a process of its own with its output in files.
///
/// `@unchecked Sendable`: used by the one test that made it.
final class Program: @unchecked Sendable {
  struct Result {
    let status: Int32
    let output: String
    let errors: String
  }

  /// Where the build has put the commands: the tests lie beside them.
  static let directory: URL = {
    var directory = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    while directory.path != "/", !isExecutable(directory.appending(path: "ceir")) {
      directory.deleteLastPathComponent()
    }
    return directory
  }()

  private let process = Process()
  private let outputFile: URL
  private let errorFile: URL

  /// `name` is one of our commands, or the path of a tool. `folder` receives what it writes.
  init(_ name: String, _ arguments: [String], in folder: String) throws {
    let base = "\(folder)/\(UUID().uuidString)"
    outputFile = URL(fileURLWithPath: base + ".out")
    errorFile = URL(fileURLWithPath: base + ".err")
    process.executableURL =
      name.hasPrefix("/") ? URL(fileURLWithPath: name) : Self.directory.appending(path: name)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    for file in [outputFile, errorFile] { try Data().write(to: file) }
    let handles = try [outputFile, errorFile].map(FileHandle.init(forWritingTo:))
    process.standardOutput = handles[0]
    process.standardError = handles[1]
    try process.run()
    // Foundation keeps them as long as it keeps the process, and fails beyond a thousand.
    for handle in handles { try handle.close() }
  }

  var identifier: Int32 { process.processIdentifier }
  var isRunning: Bool { process.isRunning }

  var output: String { (try? String(contentsOf: outputFile, encoding: .utf8)) ?? "" }
  var errors: String { (try? String(contentsOf: errorFile, encoding: .utf8)) ?? "" }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Waits for a line of its output and returns what stands after `mark` up to `end`.
  func word(after mark: String, until end: Character) async throws -> String {
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

  func end() async throws -> Result {
    try await eventually("the end of a program") { !self.process.isRunning }
    return Result(status: process.terminationStatus, output: output, errors: errors)
  }

  static func run(
    _ name: String, _ arguments: [String], in folder: String
  ) async throws -> Result {
    try await Program(name, arguments, in: folder).end()
  }

  private static func isExecutable(_ url: URL) -> Bool {
    FileManager.default.isExecutableFile(atPath: url.path)
  }
}

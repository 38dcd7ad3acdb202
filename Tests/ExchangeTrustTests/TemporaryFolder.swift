import Foundation

/// A folder for one test, removed with its last use.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "trust-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit {
    // What cannot be removed is left to the machine's own cleaning.
    _ = try? FileManager.default.removeItem(atPath: path)
  }

  func text(_ name: String) throws -> String {
    try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
  }

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
  }

  func mode(_ name: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
    return (attributes[.posixPermissions] as? Int) ?? -1
  }
}

/// A tool that is run to its end, with its output.
struct Tool {
  let status: Int32
  let output: String

  /// - Parameter input: nil for none, so that a tool that reads ends at once.
  static func run(_ path: String, _ arguments: [String], in folder: TemporaryFolder) async throws
    -> Tool
  {
    let file = "\(folder.path)/\(UUID().uuidString).out"
    try Data().write(to: URL(fileURLWithPath: file))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.standardInput = FileHandle.nullDevice
    let output = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
    process.standardOutput = output
    process.standardError = output
    try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { _ in continuation.resume() }
      do {
        try process.run()
      } catch {
        process.terminationHandler = nil
        continuation.resume(throwing: error)
      }
    }
    return Tool(
      status: process.terminationStatus, output: try String(contentsOfFile: file, encoding: .utf8))
  }

  static func openssl(_ arguments: [String], in folder: TemporaryFolder) async throws -> Tool {
    try await run("/usr/bin/openssl", arguments, in: folder)
  }
}

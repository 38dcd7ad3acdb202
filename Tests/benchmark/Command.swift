import Foundation
import Simulation

/// One of our commands, or a tool, run as a process of its own with its output in files.
struct Command {
  private static let ours = URL(fileURLWithPath: CommandLine.arguments[0])
    .deletingLastPathComponent()

  private let process = Process()
  private let outputFile: URL
  private let errorFile: URL

  /// - Parameter name: one of our commands, or the path of a tool.
  init(
    _ name: String, _ arguments: [String], environment: [String: String] = [:], in folder: String
  ) throws {
    let base = "\(folder)/\(UUID().uuidString)"
    outputFile = URL(fileURLWithPath: base + ".out")
    errorFile = URL(fileURLWithPath: base + ".err")
    process.executableURL =
      name.hasPrefix("/") ? URL(fileURLWithPath: name) : Self.ours.appending(path: name)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    for file in [outputFile, errorFile] { try Data().write(to: file) }
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    try process.run()
  }

  var identifier: Int32 { process.processIdentifier }
  var output: String { text(of: outputFile) }
  var errors: String { text(of: errorFile) }

  private func text(of file: URL) -> String {
    (try? String(contentsOf: file, encoding: .utf8)) ?? ""
  }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Waits for a line of its output and returns what stands after `mark` up to `end`.
  func word(after mark: String, until end: Character) async throws -> String {
    var word = ""
    try await eventually("the line \"\(mark)\"", within: 300) {
      guard let range = output.range(of: mark) else {
        guard process.isRunning else { throw BenchmarkFailure("It ended: \(errors)") }
        return false
      }
      let rest = output[range.upperBound...]
      guard let stop = rest.firstIndex(where: { $0 == end || $0.isNewline }) else { return false }
      word = String(rest[..<stop])
      return true
    }
    return word
  }

  /// Waits for its end and returns what it wrote; throws where it has failed.
  @discardableResult
  func end(within seconds: Int = 600) async throws -> String {
    try await eventually("the end of a command", within: seconds) { !process.isRunning }
    guard process.terminationStatus == 0 else {
      throw BenchmarkFailure(
        "\(process.executableURL?.lastPathComponent ?? "") "
          + "\((process.arguments ?? []).joined(separator: " ")): \(errors)")
    }
    return output
  }

  /// Asks it to end, and waits.
  func stop() async throws {
    guard process.isRunning else { return }
    send(SIGTERM)
    try await eventually("the end of a command", within: 120) { !process.isRunning }
  }

  @discardableResult
  static func run(_ name: String, _ arguments: [String], in folder: String) async throws -> String {
    try await Command(name, arguments, in: folder).end()
  }
}

/// What the kernel says of a process's memory.
struct ProcessMemory {
  /// The most that was resident since ``forgetPeak(of:)``, and what is: MiB.
  let peak: Double
  let resident: Double
  /// Of what is: MiB that no file backs.
  let anonymous: Double

  init(of process: Int32) throws {
    let text = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    func value(_ name: String) -> Double {
      let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
      return (line?.split(whereSeparator: \.isWhitespace)[1]).flatMap { Double($0) } ?? .nan
    }
    peak = value("VmHWM:") / 1_024
    resident = value("VmRSS:") / 1_024
    anonymous = value("RssAnon:") / 1_024
  }

  /// Writing 5 there resets the peak: proc(5), clear_refs.
  static func forgetPeak(of process: Int32) throws {
    try Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/\(process)/clear_refs"))
  }
}

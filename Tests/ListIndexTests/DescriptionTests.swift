import DeviceIdentity
import DeviceLists
import Glibc
import Simulation
import Testing

@testable import ListIndex

/// `Schema/exchange/index.py` was written from the description of the format alone.
@Suite struct DescriptionTests {
  private static let python = "/usr/bin/python3"

  private static var script: String {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return "/\(root)/Schema/exchange/index.py"
  }

  private static func text(_ part: EntryClass?) -> String {
    guard let part else { return "-" }
    let words = part.codes.codes.map(\.description).joined(separator: "+")
    return "\(part.status):\(part.isOverridable ? 1 : 0):\(words)"
  }

  private static func run(_ file: String, output: String) throws -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    var arguments = [python, script, file].map { (text: String) in strdup(text) }
    arguments.append(nil)
    var environment: [UnsafeMutablePointer<CChar>?] = [nil]
    defer { for argument in arguments { free(argument) } }
    var child = pid_t()
    let started = posix_spawn(&child, python, &actions, nil, arguments, &environment)
    try #require(started == 0)
    var status: Int32 = 0
    waitpid(child, &status, 0)
    return status
  }

  @Test(.enabled(if: FileSystem.exists(python), "needs python3"))
  func `a reader written from the description finds the same entries`() throws {
    let folder = try Folder()
    var random = SeededGenerator(seed: 51)
    var model = ListModel(Samples.head())
    _ = model.randomChanges(400, using: &random)
    // A type with a bitmap and one with buckets of 256 serials, of many classes and of one.
    for (tac, stride, isUniform) in [(50_000_000, 7, false), (50_000_001, 90, true)] {
      let one = Samples.entryClass(using: &random)
      for serial in Swift.stride(from: 0, to: 1_000_000, by: stride) {
        let imei = IMEI(number: UInt64(tac) * 1_000_000 + UInt64(serial))!
        let all = isUniform ? one : Samples.entryClass(using: &random)
        model.listed[.imei(imei)] = ListedClass(all: all)
      }
    }
    _ = try model.write(to: folder / "file", trailer: [1, 2, 3])
    #expect(try Self.run(folder / "file", output: folder / "entries") == 0)
    let expected = model.sorted.map { entry in
      let keys = entry.subject.keys
      return "\(entry.subject.kind.rawValue) \(keys.first) \(keys.second)"
        + " \(Self.text(entry.listed.all)) \(Self.text(entry.listed.own))\n"
    }.joined()
    let isSame = try contents(folder / "entries") == Array(expected.utf8)
    #expect(isSame)
  }
}

import Foundation
import Fuzzing
import Testing

/// Every input that is kept runs through the functions that `Scripts/fuzz` calls.
struct FuzzTests {
  private static let corpus = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fuzzing/Corpus")
  /// Of all inputs together: they are read by people who clone this repository, too.
  private static let mostBytes = 200_000
  private static let seedPrefix = "seed-"

  private static func inputs(_ target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
    let folder = corpus.appending(path: target.rawValue)
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
      (name, [UInt8](try Data(contentsOf: folder.appending(path: name))))
    }
  }

  /// A trap ends the run, so the name of each input is told before.
  @Test(arguments: FuzzTarget.allCases)
  func `every input that was kept does no harm`(target: FuzzTarget) throws {
    var (understood, refused) = (0, 0)
    for (name, bytes) in try Self.inputs(target) {
      print("fuzz input \(target.rawValue)/\(name)")
      if target.run(bytes) { understood += 1 } else { refused += 1 }
    }
    #expect(understood > 2, "the inputs no longer get anywhere")
    #expect(refused > 2)
  }

  @Test(arguments: FuzzTarget.allCases)
  func `seeds are understood but for those that are to be refused`(target: FuzzTarget) throws {
    for (name, bytes) in try FuzzSeeds.all(target) {
      #expect(target.run(bytes) != FuzzSeeds.refused.contains(name), "\(name)")
    }
  }

  /// `OPENCEIR_WRITE_SEEDS=1 swift test --filter FuzzTests` writes them anew.
  @Test(arguments: FuzzTarget.allCases)
  func `the seeds that are kept are those of today`(target: FuzzTarget) throws {
    let folder = Self.corpus.appending(path: target.rawValue)
    let isWriting = ProcessInfo.processInfo.environment["OPENCEIR_WRITE_SEEDS"] == "1"
    for (name, bytes) in try FuzzSeeds.all(target) {
      let file = folder.appending(path: Self.seedPrefix + name)
      if isWriting {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
      }
      #expect(try [UInt8](Data(contentsOf: file)) == bytes, "\(name)")
    }
  }

  @Test func `the inputs stay few`() throws {
    let count = try FuzzTarget.allCases.reduce(0) { sum, target in
      try sum + Self.inputs(target).reduce(0) { $0 + $1.bytes.count }
    }
    #expect(count < Self.mostBytes)
  }
}

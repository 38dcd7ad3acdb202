import Crypto
import DeviceIdentity
import DeviceLists
import Foundation
import ListExchange
import Simulation
import Testing

@testable import EIRNode

/// `Schema/exchange/files.md`, What a node does.
struct FilesLoopTests {
  private static let second = Position(10)

  @Test(arguments: [false, true])
  func `full and incremental files are taken, said and removed`(isPacked: Bool) async throws {
    let desk = try FilesDesk()
    try desk.mirror.put(.full(desk.registry, number: 1, isPacked: isPacked))
    try desk.start()
    try await desk.untilLevel()
    var chance = SeededGenerator(seed: 7)
    for number in 2...6 {
      let after = desk.registry.position
      for _ in 0..<40 { desk.registry.commitSomething(using: &chance) }
      try desk.mirror.put(
        .incremental(desk.registry, number: number, after: after, isPacked: isPacked))
    }
    try desk.mirror.put(.full(desk.registry, number: 7, isPacked: isPacked))
    try await desk.untilLevel()
    try await eventually("all are taken") { desk.state.report.last == 7 }
    #expect(desk.state.report.taken == 7)
    #expect(desk.state.report.damaged == 0)
    #expect(try desk.mirror.names.isEmpty)
    let next = try String(contentsOfFile: desk.mirror.path + "/.next", encoding: .utf8)
    #expect(next == "000000008\n")
    try await eventually("it says where it stands") {
      try desk.sent(.acknowledgement).last?.contains(
        "\(desk.registry.epoch),210,\(desk.registry.digest),0") == true
    }
    await desk.stop()
  }

  // MARK: Faults

  typealias Replication = Mirror.Replication
  typealias Spoil = @Sendable (inout Replication) throws -> Void

  static let faults: [(String, Spoil)] = [
    ("a byte of the data changed", { $0.data[$0.data.count / 2] ^= 1 }),
    ("the data cut", { $0.data.removeLast(20) }),
    ("data behind it", { $0.data += Array("x\n".utf8) }),
    ("no data", { $0.data = [] }),
    ("the manifest cut", { $0.manifest.removeLast(20) }),
    ("an empty manifest", { $0.manifest = [] }),
    ("a manifest too long", { $0.manifest += [UInt8](repeating: 0x20, count: 1 << 21) }),
    ("a position changed", { try $0.replace(#""position":12"#, #""position":13"#) }),
    ("a stranger's", { try $0.sealAgain(signer: TestAuthority.stranger.signer) }),
    ("not signed", { try $0.replace("signature", "signatur") }),
    (
      "of another feed",
      { try $0.sealAgain { one, _ in one.feed = Feed(of: SmallRegistry.beta) } }
    ),
    (
      "of another registry",
      { try $0.sealAgain { one, _ in one.registry = RegistryName("other")! } }
    ),
    ("another number of records", { try $0.sealAgain { _, records in records += 1 } }),
    (
      "another hash of the text",
      { try $0.sealAgain { one, _ in one.contentHash = ContentHash("\(one.digest)")! } }
    ),
    (
      "a word of a newer version",
      { replication in
        let text = String(decoding: replication.data, as: UTF8.self)
        replication.data = Array(text.replacingOccurrences(of: "stolen", with: "stolem").utf8)
        try replication.sealText()
      }
    ),
    (
      "a column of a newer version",
      { replication in
        let text = String(decoding: replication.data, as: UTF8.self)
        replication.data = Array(text.replacingOccurrences(of: "codes\n", with: "codes,x\n").utf8)
        try replication.sealText()
      }
    ),
    (
      "positions beyond the checkpoint",
      { replication in
        let text = String(decoding: replication.data, as: UTF8.self)
        replication.data = Array(text.replacingOccurrences(of: "\n12,", with: "\n13,").utf8)
        try replication.sealText()
      }
    ),
  ]

  @Test(arguments: 0..<faults.count)
  func `a file with a fault is set aside, and the right one is taken`(fault: Int) async throws {
    let (name, spoil) = Self.faults[fault]
    let desk = try FilesDesk()
    try desk.mirror.put(.full(desk.registry, number: 1))
    try desk.start()
    try await desk.untilLevel()
    let before = desk.registry
    desk.add(2)
    let right = try Replication.incremental(desk.registry, number: 2, after: Self.second)
    var wrong = right
    try spoil(&wrong)
    try desk.mirror.put(wrong)
    try await eventually("\(name) is seen") { desk.state.report.damaged == 1 }
    try before.expectSame(as: desk.keeper?.current)
    #expect(desk.state.report.last == 1, "\(name)")
    #expect(desk.mirror.damaged.contains(right.name.manifest), "\(name)")
    #expect(desk.state.report.trouble == nil, "\(name)")
    try desk.mirror.put(right)
    try await desk.untilLevel()
    #expect(desk.state.report.damaged == 1, "\(name)")
    await desk.stop()
  }

  enum Thing: CaseIterable {
    case linkedManifest, linkedData, folderAsManifest, folderAsData, missingData
  }

  @Test(arguments: Thing.allCases)
  func `what is no plain file is set aside, wherever it leads`(thing: Thing) async throws {
    let desk = try FilesDesk()
    try desk.mirror.put(.full(desk.registry, number: 1))
    try desk.start()
    try await desk.untilLevel()
    desk.add(2)
    let right = try Replication.incremental(desk.registry, number: 2, after: Self.second)
    // Elsewhere it would be right.
    try Data(right.manifest).write(to: URL(fileURLWithPath: desk.scratch.path + "/manifest"))
    try Data(right.data).write(to: URL(fileURLWithPath: desk.scratch.path + "/data"))
    let (manifest, data) = (right.name.manifest, right.name.data(.none))
    let files = FileManager.default
    func link(_ name: String, to target: String) throws {
      try files.createSymbolicLink(
        atPath: "\(desk.mirror.path)/\(name)",
        withDestinationPath: "\(desk.scratch.path)/\(target)")
    }
    func folder(_ name: String) throws {
      try files.createDirectory(
        atPath: "\(desk.mirror.path)/\(name)", withIntermediateDirectories: false)
    }
    switch thing {
    case .linkedManifest:
      try desk.mirror.put(right.data, as: data)
      try link(manifest, to: "manifest")
    case .linkedData:
      try link(data, to: "data")
      try desk.mirror.put(right.manifest, as: manifest)
    case .folderAsManifest: try folder(manifest)
    case .folderAsData:
      try folder(data)
      try desk.mirror.put(right.manifest, as: manifest)
    case .missingData: try desk.mirror.put(right.manifest, as: manifest)
    }
    try await eventually("it is seen") { desk.state.report.damaged == 1 }
    #expect(desk.position == 10)
    #expect(files.fileExists(atPath: desk.scratch.path + "/data"))
    try desk.mirror.put(right)
    try await desk.untilLevel()
    await desk.stop()
  }

  @Test func `a full file with a fault leaves the list as it is`() async throws {
    let desk = try FilesDesk()
    try desk.mirror.put(.full(desk.registry, number: 1))
    try desk.start()
    try await desk.untilLevel()
    let before = desk.registry
    desk.add(2)
    let right = try Replication.full(desk.registry, number: 2)
    var wrong = right
    // Signed, and yet not what the checkpoint says: an entry is missing.
    let lines = String(decoding: right.data, as: UTF8.self).split(separator: "\n")
    wrong.data = Array((lines.dropLast().joined(separator: "\n") + "\n").utf8)
    try wrong.sealText { $0 -= 1 }
    try desk.mirror.put(wrong)
    try await eventually("it is seen") { desk.state.report.damaged == 1 }
    try before.expectSame(as: desk.keeper?.current)
    try desk.mirror.put(right)
    try await desk.untilLevel()
    await desk.stop()
  }

  @Test func `files of others are never looked at`() async throws {
    let desk = try FilesDesk()
    try desk.mirror.put(.full(desk.registry, number: 1))
    let other = try Replication.full(desk.registry, number: 2)
    for stem in ["demo_beta_000000002_full", "other_alpha_000000002_full"] {
      try desk.mirror.put(other.data, as: stem + ".csv")
      try desk.mirror.put(other.manifest, as: stem + ".json")
    }
    try desk.start()
    try await desk.untilLevel()
    try await eventually("its own is taken") { desk.state.report.taken == 1 }
    #expect(try desk.mirror.names.count == 4)
    #expect(desk.state.report.damaged == 0)
    await desk.stop()
  }

  @Test func `what is unknown in a manifest is passed over`() async throws {
    let desk = try FilesDesk()
    var newer = try Replication.full(desk.registry, number: 1)
    newer.manifest = Array(#"{"colour":{"of":["the","file"]},"#.utf8) + newer.manifest.dropFirst()
    try desk.mirror.put(newer)
    try desk.start()
    try await desk.untilLevel()
    await desk.stop()
  }
}

extension Mirror.Replication {
  /// Replaces a part of the manifest.
  fileprivate mutating func replace(_ text: String, _ other: String) throws {
    let former = String(decoding: manifest, as: UTF8.self)
    try #require(former.contains(text))
    manifest = Array(former.replacingOccurrences(of: text, with: other).utf8)
  }

  /// Signs the data as they are now.
  fileprivate mutating func sealText(_ change: (inout Int) -> Void = { _ in }) throws {
    let hash = ContentHash(SHA256.hash(data: data))
    try sealAgain { checkpoint, records in
      checkpoint.contentHash = hash
      change(&records)
    }
  }
}

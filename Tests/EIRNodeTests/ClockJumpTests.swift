import DeviceIdentity
import DeviceLists
import Foundation
import Simulation
import Testing

@testable import EIRNode

/// A real node whose clock is set, as by a wrong time server, while it answers. The clock is moved
/// by libfaketime (Debian), which was written by others.
@Suite(.serialized, .enabled(if: FakeClock.isInstalled))
struct ClockJumpTests {
  private static let black = EntryClass(
    status: .black, codes: .init(.stolen), isOverridable: false)
  private static let stolen = IMEI(number: 35_209_900_000_001)!
  private static let free = IMEI(number: 35_209_900_000_002)!
  private static let other = IMEI(number: 35_209_900_000_003)!
  private static let later = IMEI(number: 35_209_900_000_004)!

  @Test func `a clock that jumps by a month and back fails no check and makes nothing black`()
    async throws
  {
    let scratch = try Scratch()
    let server = try RegistryServer(directory: scratch.path)
    server.change { registry in
      registry.issuedAt = .now()
      registry.commit(.imei(Self.stolen), Self.black)
    }
    try await server.start()
    let clock = try FakeClock(in: scratch.path)
    let node = try await NodeProcess.start(
      in: scratch.path + "/node", registry: server.url,
      more: ProbeTests.flags + ["--policy-failure", "grey"], clock: clock)
    try await eventually("the list") { try await node.status().position == 1 }
    let peer = try await DiameterPeer.open(to: try #require(node.s13))
    let load = Load(try #require(node.s13), Self.free)
    try await Self.becomes("BLACKLISTED", Self.stolen, node, peer)
    try await Self.becomes("404", Self.free, node, peer)
    try await Self.jumpAhead(clock, node, peer, server)
    try await Self.jumpBehind(clock, node, peer)

    // It follows as before.
    server.change { registry in
      registry.issuedAt = .now()
      registry.commit(.imei(Self.later), Self.black)
    }
    try await Self.becomes("BLACKLISTED", Self.later, node, peer)
    try await eventually("all is well") { try await node.metric("eir_following") == 1 }
    let answers = try await load.end()
    #expect(Set(answers.keys) == ["404", "GREYLISTED"], "\(answers)")
    try await peer.close()
    #expect(try await node.stop() == 0)
    FakeClock.cleanUp(after: node.process)
    await server.stop()
  }

  /// The list is older than a week, and the failure policy holds.
  private static func jumpAhead(
    _ clock: FakeClock, _ node: NodeProcess, _ peer: DiameterPeer, _ server: RegistryServer
  ) async throws {
    try clock.set("+30d")
    try await becomes("GREYLISTED", stolen, node, peer)
    try await becomes("GREYLISTED", free, node, peer)
    #expect(try await node.metric("eir_ready") == 0)
    // What the registry says meanwhile is of its own time, and so no younger.
    server.change { registry in
      registry.issuedAt = .now()
      registry.commit(.imei(other), black)
    }
    try await eventually("what the registry says has come") {
      try await node.status().position == 2
    }
    try await becomes("GREYLISTED", other, node, peer)
    try await becomes("GREYLISTED", stolen, node, peer)
    try clock.set("+0")
    try await becomes("BLACKLISTED", stolen, node, peer)
    try await becomes("404", free, node, peer)
    #expect(try await node.metric("eir_ready") == 1)
  }

  /// A list of the future is as good as one of now.
  private static func jumpBehind(
    _ clock: FakeClock, _ node: NodeProcess, _ peer: DiameterPeer
  ) async throws {
    try clock.set("-30d")
    try await eventually("its clock is behind") {
      try await node.status().ageSeconds.map { $0 < -86_400 } ?? false
    }
    try await becomes("BLACKLISTED", stolen, node, peer)
    try await becomes("404", free, node, peer)
    try clock.set("+0")
    try await becomes("BLACKLISTED", stolen, node, peer)
  }

  /// By both interfaces; by Diameter over a connection that stays.
  private static func becomes(
    _ word: String, _ imei: IMEI, _ node: NodeProcess, _ peer: DiameterPeer
  ) async throws {
    try await eventually("\(word)") {
      let check = DiameterBytes.check(imei: imei.description)
      let reading = try await peer.ask(DiameterBytes.checkRequest(check))
      guard Load.word(reading) == word else { return false }
      return try await node.verdict(imei.dialled) == word
    }
  }
}

/// A peer that asks the same over and over, one question after the other.
private struct Load {
  private let task: Task<[String: Int], any Error>

  init(_ address: String, _ imei: IMEI) {
    task = Task {
      let peer = try await DiameterPeer.open(to: address, host: "mme2.epc.example.org")
      var answers: [String: Int] = [:]
      while !Task.isCancelled {
        let check = DiameterBytes.check(imei: imei.description)
        try await peer.send(DiameterBytes.checkRequest(check))
        // Cancelled or not, what was asked is answered.
        let reading = try await Task { try await peer.receive() }.value
        answers[Self.word(reading), default: 0] += 1
      }
      try await peer.close()
      return answers
    }
  }

  static func word(_ reading: DiameterReading) -> String {
    guard let status = reading.equipmentStatus else {
      return reading.experimentalCode == 5422 ? "404" : "an error"
    }
    return ["WHITELISTED", "BLACKLISTED", "GREYLISTED"][Int(status)]
  }

  func end() async throws -> [String: Int] {
    task.cancel()
    return try await task.value
  }
}

/// The wall clock of a process that is started with it. Its other clocks go on as they do.
///
/// The process must be begun by another, such as a shell: where libfaketime is loaded first it
/// moves the environment, and a program in Swift then finds no arguments.
struct FakeClock {
  private static let library: String? = {
    let directories = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []
    return directories.map { "/usr/lib/\($0)/faketime/libfaketimeMT.so.1" }
      .first { FileManager.default.fileExists(atPath: $0) }
  }()

  static var isInstalled: Bool { library != nil }

  private let path: String

  init(in directory: String) throws {
    path = directory + "/clock"
    try set("+0")
  }

  var environment: [String: String] {
    [
      "LD_PRELOAD": Self.library ?? "", "FAKETIME_TIMESTAMP_FILE": path, "FAKETIME_NO_CACHE": "1",
      "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
    ]
  }

  /// What libfaketime leaves in memory.
  static func cleanUp(after process: Process) {
    for name in ["faketime_shm_", "sem.faketime_sem_"] {
      unlink("/dev/shm/\(name)\(process.processIdentifier)")
    }
  }

  /// - Parameter offset: such as `+30d`.
  func set(_ offset: String) throws {
    try Data("\(offset)\n".utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
  }
}

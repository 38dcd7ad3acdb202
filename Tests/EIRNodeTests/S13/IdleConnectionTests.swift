import Foundation
import NIOCore
import NIOPosix
import Simulation
import Testing

/// Very many connections on which nothing is said.
@Suite(.serialized)
struct IdleConnectionTests {
  private static let wanted = 10_000
  /// Files that the tests' own process and the node need beside the connections.
  private static let beside = 600

  /// What this process, and a node that it starts, may have open.
  private static func raisedLimit() throws -> Int {
    var limit = rlimit()
    let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    try #require(getrlimit(kind, &limit) == 0)
    limit.rlim_cur = limit.rlim_max
    try #require(setrlimit(kind, &limit) == 0)
    return Int(clamping: limit.rlim_cur)
  }

  /// Of the node, in KiB.
  private static func residentKiB(_ node: NodeProcess) throws -> Int {
    let path = "/proc/\(node.process.processIdentifier)/status"
    let line = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").first {
      $0.hasPrefix("VmRSS:")
    }
    return try #require(line?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
  }

  @Test func `ten thousand idle peers stay connected while checks are answered`() async throws {
    let allowed = try Self.raisedLimit()
    let count = min(Self.wanted, allowed - Self.beside)
    try await ProbeTests.withNode(["--s13-watchdog-seconds", "600"]) { node, address, _ in
      let asking = try await DiameterPeer.open(to: address)
      let before = try Self.residentKiB(node)
      var peers: [any Channel] = []
      let port = Int(address.split(separator: ":")[1]) ?? 0
      let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      var slowest = Duration.zero
      for start in stride(from: 0, to: count, by: 100) {
        for number in start..<min(start + 100, count) {
          let channel = try await bootstrap.connect(host: "127.0.0.1", port: port).get()
          let hello = DiameterBytes.capabilities(host: "idle\(number).epc.example.org")
          try await channel.writeAndFlush(ByteBuffer(bytes: hello)).get()
          peers.append(channel)
        }
        let asked = ContinuousClock.now
        #expect(try await asking.ask(DiameterBytes.checkRequest()).equipmentStatus == 1)
        slowest = max(slowest, ContinuousClock.now - asked)
      }
      try await eventually("all are let in") {
        try await node.metric("eir_s13_peers") == count + 1
      }
      for _ in 0..<1_000 {
        #expect(try await asking.ask(DiameterBytes.checkRequest()).equipmentStatus == 1)
      }
      let each = (try Self.residentKiB(node) - before) * 1_024 / count
      print("\(count) idle connections of \(Self.wanted): \(each) bytes each, the slowest of")
      print("\(count / 100) checks meanwhile took \(slowest); hard limit \(allowed)")
      #expect(each < 32_768)
      #expect(peers.allSatisfy { $0.isActive })
      for peer in peers { peer.close(promise: nil) }
      try await eventually("all are gone") { try await node.metric("eir_s13_peers") == 1 }
      try await asking.close()
    }
  }

  @Test(arguments: [(1_500, true), (20_000, false)])
  func `a node may open as much as it may allow itself, and says where that is too little`(
    hard: Int, isSaid: Bool
  ) async throws {
    let scratch = try Scratch()
    try TestAuthority.shared.writeNode(to: scratch.path + "/node.tls")
    let directory = scratch.path + "/node"
    let flags =
      NodeProcess.flags(directory)
      + NodeProcess.registryFlags(directory, "https://127.0.0.1:1")
      + ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
    let node = try Program(
      "/bin/sh",
      ["-c", "ulimit -S -n 400; ulimit -H -n \(hard); exec \"$0\" serve \"$@\""]
        + [Program.path(of: "eir")] + flags, in: scratch.path)
    _ = try await node.word(after: "eir: answering ", until: ",")
    let limits = try String(contentsOfFile: "/proc/\(node.identifier)/limits", encoding: .utf8)
      .split(separator: "\n").first { $0.hasPrefix("Max open files") }
    #expect(limits?.split(separator: " ").compactMap { Int($0) } == [hard, hard])
    #expect(node.errors.contains("raise the hard limit") == isSaid)
    node.send(SIGTERM)
    #expect(try await node.end().status == 0)
  }
}

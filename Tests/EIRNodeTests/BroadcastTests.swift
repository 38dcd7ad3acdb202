import DeviceIdentity
import DeviceLists
import EIRNode
import ExchangeTrust
import Foundation
import ListExchange
import NIOHTTP1
import Simulation
import Testing

/// The registry hands lists over to the program. ITU-T Q Suppl. 76, 7.2 and 8.2.
@Suite(.serialized)
struct BroadcastTests {
  private static let black = EntryClass(
    status: .black, codes: .init(.stolen), isOverridable: false)
  /// Nobody listens there.
  private static let nowhere = "https://127.0.0.1:9"

  private static func imei(_ number: UInt64) -> Subject {
    .imei(IMEI(number: 35_209_900_000_000 + number)!)
  }

  private static func registry(blacks: Int = 10) -> SmallRegistry {
    var registry = SmallRegistry()
    registry.issuedAt = .now()
    for number in 0..<blacks { registry.commit(imei(UInt64(number)), black) }
    return registry
  }

  private static func node(
    _ scratch: Scratch, registry: String = nowhere, more: [String] = []
  ) async throws -> NodeProcess {
    try await NodeProcess.start(
      in: scratch.path + "/node", registry: registry,
      more: ["--exchange-listen", "127.0.0.1:0"] + more)
  }

  private static func pusher(
    _ scratch: Scratch, _ node: NodeProcess, authority: TestAuthority = .shared,
    as role: PeerName.Role = .ceir
  ) throws -> Broadcaster {
    try Broadcaster(
      to: try #require(node.exchange), directory: scratch.path, authority: authority, as: role)
  }

  @Test func `what was answered is on disk, also after kill -9`() async throws {
    let scratch = try Scratch()
    var registry = Self.registry()
    var node = try await Self.node(scratch)
    var pusher = try Self.pusher(scratch, node)
    let first = try await pusher.pushSnapshot(of: registry, in: scratch.path)
    #expect(first.status == 200)
    #expect(first.taken?.state == .applied)
    #expect(first.taken?.standing?.position == Position(10))
    for round in 0..<3 {
      try await node.kill()
      try await pusher.close()
      node = try await Self.node(scratch)
      pusher = try Self.pusher(scratch, node)
      #expect(try await node.status().position == registry.position.number)
      #expect(try await node.status().digest == registry.digest.description)
      let after = registry.position
      registry.commit(Self.imei(100 + UInt64(round)), Self.black)
      let answer = try await pusher.push(registry.delta(after: after))
      #expect(answer.status == 200)
      #expect(answer.taken?.standing?.digest == registry.digest)
    }
    // The same again is well, and says where the node stands.
    let again = try await pusher.push(registry.delta(after: Position(10)))
    #expect(again.status == 200)
    #expect(again.taken?.standing?.position == registry.position)
    #expect(try await node.verdict("352099000001023") == "BLACKLISTED")
    let status = try await pusher.ask(.GET, ExchangePath.status)
    let standing = try NodeStatus(json: status.body)
    #expect(standing.standing?.position == registry.position)
    #expect(standing.held == 0)
    let contract = try await pusher.ask(.GET, ExchangePath.openAPI)
    #expect(String(decoding: contract.body, as: UTF8.self).hasPrefix("openapi: "))
    try await pusher.close()
    #expect(try await node.stop() == 0)
  }

  @Test func `every refusal has its code, and the node stays where it was`() async throws {
    let scratch = try Scratch()
    let registry = Self.registry()
    let node = try await Self.node(scratch)
    let pusher = try Self.pusher(scratch, node)
    var next = registry
    next.commit(Self.imei(50), Self.black)
    let good = next.delta(after: Position(10))

    let noList = try await pusher.push(good)
    #expect(noList.status == 409)
    #expect(noList.problem?.error.code == .standsElsewhere)
    #expect(noList.problem?.standing == nil)
    #expect(try await pusher.pushSnapshot(of: registry, in: scratch.path).status == 200)

    for (name, bytes, code) in try Self.wrongDeltas(next, good) {
      let answer = try await pusher.push(bytes)
      #expect(answer.problem?.error.code == code, "\(name): \(answer)")
      #expect(answer.status == code.httpStatus, "\(name)")
    }
    for (name, type, bytes, code) in try Self.wrongSnapshots(registry, scratch) {
      let answer = try await pusher.push(bytes, type: type)
      #expect(answer.problem?.error.code == code, "\(name): \(answer)")
    }
    let far = try await pusher.push(Self.registry(blacks: 20).delta(after: Position(15)))
    #expect(far.problem?.error.code == .standsElsewhere)
    #expect(far.problem?.standing?.position == Position(10))
    #expect(far.problem?.standing?.digest == registry.digest)
    let method = try await pusher.ask(.DELETE, ExchangePath.broadcast)
    #expect(method.status == 405)
    #expect(method.headers.first(name: "allow") == "POST")
    for path in ["/exchange/v1/nothing", ExchangePath.status + "/", "/" + ExchangePath.status] {
      let answer = try await pusher.ask(.GET, path)
      #expect(answer.status == 404, "\(path)")
      #expect(answer.problem?.error.code == .notFound, "\(path)")
    }
    #expect(try await pusher.ask(.HEAD, ExchangePath.status).status == 200)
    let patched = try await pusher.ask(.PATCH, ExchangePath.status)
    #expect(patched.status == 405)
    #expect(patched.headers.first(name: "allow") == "GET, HEAD")
    let long = try await pusher.push([UInt8](repeating: 0x20, count: (16 << 20) + 1))
    #expect(long.problem?.error.code == .tooLarge)

    #expect(try await node.status().position == 10)
    #expect(try await pusher.push(good).status == 200)
    #expect(try await node.status().position == 11)
    try await pusher.close()
    #expect(try await node.stop() == 0)
  }

  private static func wrongDeltas(
    _ next: SmallRegistry, _ good: [UInt8]
  ) throws -> [(String, [UInt8], ExchangeCode)] {
    var unsigned = next
    unsigned.signer = nil
    var stranger = next
    stranger.signer = TestAuthority.stranger.signer
    var later = next
    later.issuedAt = next.issuedAt.adding(seconds: -1)
    // Another checkpoint with the signature of this one.
    let forged = String(decoding: good, as: UTF8.self)
      .replacingOccurrences(of: next.issuedAt.description, with: later.issuedAt.description)
    let foreign = String(decoding: good, as: UTF8.self)
      .replacingOccurrences(of: #""feed":"alpha""#, with: #""feed":"beta""#)
    var changed = good
    changed[20] ^= 1
    let after = Position(10)
    return [
      ("unsigned", unsigned.delta(after: after), .unsigned),
      ("a stranger's", stranger.delta(after: after), .signerNotTrusted),
      ("forged", Array(forged.utf8), .signatureWrong),
      ("another feed", Array(foreign.utf8), .wrongFeed),
      ("no JSON", Array("{\n".utf8) + good, .malformed),
      ("cut", Array(good.dropLast(30)), .cutShort),
      ("empty", [], .cutShort),
      ("more behind it", good + good, .malformed),
      ("too long a line", [UInt8](repeating: 0x20, count: 9_000), .lineTooLong),
    ]
  }

  private static func wrongSnapshots(
    _ registry: SmallRegistry, _ scratch: Scratch
  ) throws -> [(String, String, [UInt8], ExchangeCode)] {
    func bytes(
      _ registry: SmallRegistry, as name: RegistryName = SmallRegistry.name,
      feed: Feed = SmallRegistry.feed
    ) throws -> [UInt8] {
      let path = "\(scratch.path)/wrong-\(UUID()).index"
      try registry.writeSnapshot(to: path, as: name, feed: feed)
      return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }
    var unsigned = registry
    unsigned.signer = nil
    var stranger = registry
    stranger.signer = TestAuthority.stranger.signer
    let stale = Self.registry(blacks: 5)
    // An epoch that was over before this list was issued, even where it is further on.
    var former = Self.registry(blacks: 15)
    former.restore(to: Position(15), epoch: Epoch(high: 0, low: 9))
    former.issuedAt = registry.issuedAt.adding(seconds: -60)
    let index = ExchangePath.index
    let good = try bytes(registry)
    // Everywhere before the checkpoint, and its first byte.
    let trailer = try #require(good.firstRange(of: Array(#"{"registry""#.utf8))).lowerBound
    let damaged = Array(stride(from: 0, to: trailer, by: 37)) + [trailer]
    let damages = damaged.map { place in
      var bytes = good
      bytes[place] ^= 1
      return ("damaged at \(place)", index, bytes, ExchangeCode.contentDiffers)
    }
    return damages + [
      ("unsigned", index, try bytes(unsigned), .unsigned),
      ("a stranger's", index, try bytes(stranger), .signerNotTrusted),
      ("stale", index, try bytes(stale), .stale),
      ("of a former epoch", index, try bytes(former), .stale),
      (
        "another feed", index, try bytes(registry, feed: Feed(of: SmallRegistry.beta)),
        .wrongFeed
      ),
      (
        "another registry", index, try bytes(registry, as: RegistryName("other")!),
        .wrongRegistry
      ),
      ("half", index, Array(try bytes(registry).prefix(300)), .contentDiffers),
      ("nonsense", index, Array("nonsense".utf8), .contentDiffers),
      ("another type", "text/plain", Array("x".utf8), .unsupportedMedia),
    ]
  }

  @Test func `only the registry's CEIR may hand over`() async throws {
    let scratch = try Scratch()
    let registry = Self.registry()
    let node = try await Self.node(scratch)
    let stranger = try Self.pusher(scratch, node, authority: .stranger)
    let other = try Self.pusher(
      scratch, node, as: .node(SmallRegistry.beta, NodeName("eir-9")!))
    for pusher in [stranger, other] {
      await #expect(throws: (any Error).self) {
        _ = try await pusher.pushSnapshot(of: registry, in: scratch.path)
      }
      try await pusher.close()
    }
    #expect(try await node.status().position == nil)
    let pusher = try Self.pusher(scratch, node)
    #expect(try await pusher.pushSnapshot(of: registry, in: scratch.path).status == 200)
    try await pusher.close()
    #expect(try await node.stop() == 0)
  }

  @Test func `an accepted broadcast is acknowledged with what is held`() async throws {
    let scratch = try Scratch()
    let server = try RegistryServer(directory: scratch.path)
    server.change { $0 = Self.registry() }
    try await server.start()
    let node = try await Self.node(
      scratch, registry: server.url, more: ["--brake-least", "3", "--brake-percent", "0"])
    try await eventually("the first list is acknowledged") {
      server.see { $0.acknowledgements.last?.standing.position } == Position(10)
    }
    let pusher = try Self.pusher(scratch, node)
    server.change { registry in
      for number in 20..<25 { registry.commit(Self.imei(UInt64(number)), Self.black) }
    }
    let answer = try await pusher.push(
      server.registry.delta(after: Position(10)), isAsync: true)
    #expect(answer.status == 202)
    #expect(answer.taken?.state == .accepted)
    try await eventually("the broadcast is acknowledged") {
      server.see { $0.acknowledgements.last }
        == Acknowledgement(
          standing: Standing(
            epoch: server.registry.epoch, position: Position(15),
            digest: server.registry.digest), held: 5)
    }
    #expect(try await node.status().brake.heldSubjects == 5)
    // One that changes nothing is acknowledged as well: the registry waits for it.
    let said = server.see { $0.acknowledgements.count }
    let confirmed = try await pusher.push(
      server.registry.delta(after: Position(15)), isAsync: true)
    #expect(confirmed.taken?.state == .accepted)
    try await eventually("the confirmation is acknowledged") {
      server.see { $0.acknowledgements.count } > said
    }
    let far = try await pusher.push(
      Self.registry(blacks: 30).delta(after: Position(25)), isAsync: true)
    #expect(far.problem?.error.code == .standsElsewhere)
    // After kill -9 the registry hears where the list stands.
    try await node.kill()
    let count = server.see { $0.acknowledgements.count }
    let again = try await Self.node(scratch, registry: server.url)
    try await eventually("a restart acknowledges") {
      server.see { $0.acknowledgements.count } > count
    }
    try await pusher.close()
    #expect(try await again.stop() == 0)
    await server.stop()
  }

  @Test func `after 202 and kill -9 the node stands before or after, and what is lost comes again`()
    async throws
  {
    let scratch = try Scratch()
    var registry = Self.registry()
    registry.mostChanges = 20_000
    var node = try await Self.node(scratch)
    var pusher = try Self.pusher(scratch, node)
    #expect(try await pusher.pushSnapshot(of: registry, in: scratch.path).status == 200)
    var lost = 0
    for round in 0..<4 {
      let before = registry
      for number in 0..<5_000 {
        registry.commit(Self.imei(UInt64(1_000 + round * 5_000 + number)), Self.black)
      }
      let accepted = try await pusher.push(
        registry.delta(after: before.position), isAsync: true)
      #expect(accepted.taken?.state == .accepted)
      try await node.kill()
      try await pusher.close()
      node = try await Self.node(scratch)
      pusher = try Self.pusher(scratch, node)
      let said = try NodeStatus(json: try await pusher.ask(.GET, ExchangePath.status).body)
      let standing = try #require(said.standing)
      let isBefore = standing.position == before.position
      #expect(standing.digest == (isBefore ? before.digest : registry.digest))
      #expect(isBefore || standing.position == registry.position)
      lost += isBefore ? 1 : 0
      let again = try await pusher.push(registry.delta(after: standing.position))
      #expect(again.taken?.standing?.digest == registry.digest)
    }
    print("lost after 202 and handed over again: \(lost) of 4")
    try await pusher.close()
    #expect(try await node.stop() == 0)
  }

  @Test func `pushed to and following at once, with kill -9 between, nothing is lost`()
    async throws
  {
    let seed: UInt64 = 20_261_123
    print("seed \(seed)")
    let scratch = try Scratch()
    let server = try RegistryServer(directory: scratch.path)
    server.change { $0 = Self.registry() }
    try await server.start()
    var node = try await Self.node(scratch, registry: server.url)
    let writer = Task {
      var chance = SeededGenerator(seed: seed)
      while !Task.isCancelled {
        server.change { $0.commitSomething(using: &chance) }
        try await pace(milliseconds: 3)
      }
    }
    for _ in 0..<4 {
      let pusher = try Self.pusher(scratch, node)
      for _ in 0..<20 {
        let position = Position(try await node.status().position ?? 0)
        let answer = try? await pusher.push(server.registry.delta(after: position))
        #expect(answer == nil || [200, 409].contains(answer?.status))
      }
      try? await pusher.close()
      try await node.kill()
      node = try await Self.node(scratch, registry: server.url)
    }
    writer.cancel()
    _ = await writer.result
    try await eventually("the node is where the registry is") {
      try await node.status().digest == server.registry.digest.description
    }
    #expect(try await node.stop() == 0)
    let keeper = try SmallRegistry.keeper(in: node.directory)
    try server.registry.expectSame(as: keeper.current)
    await server.stop()
  }
}

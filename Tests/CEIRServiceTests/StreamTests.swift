import CEIRService
import DeviceLists
import ListExchange
import NIOCore
import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// Changes as they happen, and what a node is told that cannot have them.
struct StreamTests {
  @Test func `one response brings delta after delta as they are published`() async throws {
    let world = try await ExchangeWorld.start()
    let node = try await world.node()
    let epoch = try await world.head().epoch
    let first: UInt64 = 35_000_000_000_000
    try await world.block(first)
    // Each is published when the one before it has come, so no two are in one delta.
    let deltas = try await node.changes(
      from: .beginning(of: epoch), wait: 50, isStream: true
    ) { deltas in
      let count = deltas.flatMap(\.changes).count
      guard count < 5 else { return false }
      if deltas.last?.changes.isEmpty == false { try await world.block(first + UInt64(count)) }
      return true
    }
    let head = try await world.head()
    #expect(deltas.map(\.changes.count).filter { $0 > 0 } == [1, 1, 1, 1, 1])
    #expect(deltas.last?.checkpoint.head.digest == head.digest)
    for (delta, next) in zip(deltas, deltas.dropFirst()) {
      #expect(delta.checkpoint.position == next.checkpoint.after)
    }
    try await world.stop()
  }

  @Test func `what is others' changes alone is passed over without waiting`() async throws {
    let world = try await ExchangeWorld.start()
    let node = try await world.node("alfa")
    let beta = try await world.identity(making: "eir-7", of: "beta").operatorNumber.number
    try await world.addBlacks(35_000, step: 1, scope: beta)
    let head = try await world.head()
    let deltas = try await node.changes(
      from: .beginning(of: head.epoch), wait: 50, isStream: true
    ) { deltas in
      deltas.last.map { $0.checkpoint.position < head.position } ?? true
    }
    // The response would have ended before it, had each window waited for something to tell.
    #expect(deltas.last?.checkpoint.position == head.position)
    #expect(deltas.flatMap(\.changes).isEmpty)
    try await world.stop()
  }

  @Test func `a held request is answered by the change`() async throws {
    let world = try await ExchangeWorld.start()
    let node = try await world.node()
    let epoch = try await world.head().epoch
    let started = ContinuousClock.now
    async let answered = node.changes(from: .beginning(of: epoch), wait: 50)
    try await pace(milliseconds: 200)
    try await world.block(35_000_000_000_000)
    let deltas = try await answered
    #expect(deltas.flatMap(\.changes).count == 1)
    #expect(started.duration(to: .now) < .seconds(20))
    try await world.stop()
  }

  @Test(arguments: [false, true])
  func `a node that waits hears of new parameters`(isStream: Bool) async throws {
    let world = try await ExchangeWorld.start()
    let node = try await world.node()
    let epoch = try await world.head().epoch
    let standing = Standing.beginning(of: epoch)
    let question = ChangesRequest(
      epoch: epoch, after: standing.position, digest: standing.digest, waitSeconds: 50,
      isStream: isStream)
    async let ended = node.send("GET", question.target)
    try await eventually("it has been heard") {
      try await world.store.read { try await $0.operatorRecords() }
        .contains { $0.nodes.contains { $0.position == .start } }
    }
    try await world.store.write { registry in
      _ = try await registry.proposeParameters(
        for: #require(OperatorCode("alfa")), node: nil, style: .follow, effectiveAfter: 0,
        by: "test"
      ) { String(decoding: ExchangeParameters(version: $0).json, as: UTF8.self) }
    }
    let started = ContinuousClock.now
    let answer = try await ended
    #expect(answer.status == 200)
    #expect(started.duration(to: .now) < .seconds(20), "it waited for changes")
    let version = try await node.send("GET", ExchangePath.status)
      .headers[ExchangeHeader.parameters.lowercased()]
    #expect(version == "1")
    if !isStream { #expect(answer.headers[ExchangeHeader.parameters.lowercased()] == version) }
    try await world.stop()
  }

  @Test func `past the horizon and in another epoch a node hears so`() async throws {
    let world = try await ExchangeWorld.start()
    let node = try await world.node()
    for number in 0..<3 { try await world.block(35_000_000_000_000 + UInt64(number)) }
    let head = try await world.head()
    try await world.owner.withConnection {
      try await $0.script("DELETE FROM ceir.journal WHERE position <= 2")
    }
    func ask(_ epoch: Epoch) async throws -> TestNode.Answer {
      let question = ChangesRequest(epoch: epoch, after: .start, digest: .zero)
      return try await node.send("GET", question.target)
    }
    #expect(try await ask(head.epoch).code == .beforeHorizon)
    let epoch = Epoch(high: 7, low: 7)
    // Only the publisher begins an epoch by itself; the owner stands for it here.
    try await world.owner.transaction { connection in
      try await connection.script(RegistryStore.searchPath)
      try await RegistryTransaction(connection: connection).begin(epoch, reason: "test")
    }
    let answer = try await ask(head.epoch)
    #expect(answer.code == .epochChanged)
    #expect(try ExchangeProblem(json: answer.body).epoch == epoch)
    // At its own place it goes on in the new epoch.
    let standing = Standing(epoch: epoch, position: head.position, digest: head.digest)
    #expect(try await node.changes(from: standing).count == 1)
    try await world.stop()
  }

  @Test func `the status listener answers as the whole interface does`() async throws {
    let world = try await ExchangeWorld.start()
    let node = try await world.node()
    try await world.block(49_015_420_323_751)
    let (one, many) = (
      #"{"imei":"490154203237518"}"#, #"{"queries":[{"imei":"490154203237518"}]}"#
    )
    let base = try world.statusURL
    for body in [one, many] {
      try await eventually("the same answer") {
        let fast = try await node.send("POST", ExchangePath.luStatus, body, base: base)
        let slow = try await node.send("POST", ExchangePath.luStatus, body)
        return fast.status == 200 && fast.text.prefix(60) == slow.text.prefix(60)
          && fast.headers["openceir-parameters"] == "0"
          && fast.text.contains(#""status":"black""#)
      }
    }
    #expect(try await node.send("GET", ExchangePath.status, base: base).code == .notFound)
    let wrong = try await node.send("GET", ExchangePath.luStatus, base: base)
    #expect(wrong.code == .methodNotAllowed)
    #expect(
      try await node.send("POST", ExchangePath.luStatus, "{", base: base).code == .badRequest)
    try await world.stop()
  }

  @Test func `what the status listener itself refuses has its code`() async throws {
    let world = try await ExchangeWorld.start()
    let node = try await world.node()
    let base = try world.statusURL
    let long = String(repeating: "a", count: 17_000)
    let body = String(repeating: " ", count: ExchangeLimits.longestLUStatusBytes + 1)
    let large = try await node.send("POST", ExchangePath.luStatus, body, base: base)
    #expect(large.status == 413, "\(large.text)")
    #expect(large.code == .tooLarge, "\(large.text)")
    let target = try await node.send(
      "POST", ExchangePath.luStatus + "?" + long.prefix(5_000), "{}", base: base)
    #expect(target.status == 400, "\(target.text)")
    #expect(target.code == .badRequest, "\(target.text)")
    let headers = try await node.send(
      "POST", ExchangePath.luStatus, "{}", headers: [("x-long", long)], base: base)
    #expect(headers.code == .badRequest, "\(headers.text)")
    #expect(headers.headers["content-type"] == ExchangePath.problem)
    try await world.stop()
  }
}

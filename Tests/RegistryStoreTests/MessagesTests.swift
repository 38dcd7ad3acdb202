import DeviceLists
import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// Messages that come twice, and queries that are answered later.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct MessagesTests {
  private static let answer = KeptAnswer(
    status: 201, contentType: "application/json", location: "/exchange/v1/requests/1",
    body: Array("{}".utf8))

  @Test func `a repeated message gets the answer of the first, another under its key none`()
    async throws
  {
    try await withNodes { registry, alfa, beta in
      let first = try await send("a.1", 1, by: alfa, to: registry)
      #expect(first == .new)
      #expect(try await send("a.1", 1, by: alfa, to: registry) == .answered(Self.answer))
      #expect(try await send("a.1", 2, by: alfa, to: registry) == .otherMessage)
      #expect(try await send("a.1", 2, by: beta, to: registry) == .new, "keys are a node's own")
      #expect(try await send("a.2", 2, by: alfa, to: registry) == .new)
      #expect(try await registry.number("SELECT count(*) FROM dirty") == 3)
    }
  }

  @Test func `a message that failed may come again`() async throws {
    try await withNodes { registry, alfa, _ in
      await registry.expectError(.policyForbids) { transaction in
        #expect(try await transaction.answered("k", of: alfa, hash: hash(1)) == .new)
        throw StoreError(.policyForbids, "")
      }
      let again = try await send("k", 2, by: alfa, to: registry)
      #expect(again == .new)
    }
  }

  @Test(arguments: ["", "a b", "ä", "a/b", String(repeating: "a", count: 65)])
  func `a key that is none is refused`(key: String) async throws {
    try await withNodes { registry, alfa, _ in
      await registry.expectError(.unfit) {
        _ = try await $0.answered(key, of: alfa, hash: hash(1))
      }
    }
  }

  /// Twenty of one key at once: one does the work, the others wait for it and get its answer.
  @Test func `of the same message at the same moment one has its effect`() async throws {
    try await withNodes { registry, alfa, _ in
      let found = try await withThrowingTaskGroup(of: MessageRepetition.self) { group in
        for _ in 0..<20 {
          group.addTask { try await send("k", 1, by: alfa, to: registry) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(found.count { $0 == .new } == 1)
      #expect(found.count { $0 == .answered(Self.answer) } == 19)
      #expect(try await registry.number("SELECT count(*) FROM dirty") == 1)
    }
  }

  @Test func `the second waits for the first, and works where that one fails`() async throws {
    try await withNodes { registry, alfa, _ in
      let (hasTaken, taken) = AsyncStream.makeStream(of: Void.self)
      let (mayGoOn, goOn) = AsyncStream.makeStream(of: Void.self)
      let first = Task {
        try await registry.store.write { transaction in
          _ = try await transaction.answered("k", of: alfa, hash: hash(1))
          taken.yield()
          for await _ in mayGoOn { break }
          throw StoreError(.unfit, "")
        }
      }
      for await _ in hasTaken { break }
      let second = Task { try await send("k", 1, by: alfa, to: registry) }
      try await eventually("the second to wait for the key") {
        try await registry.number(
          "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") > 0
      }
      goOn.yield()
      _ = await first.result
      #expect(try await second.value == .new)
      #expect(try await registry.number("SELECT count(*) FROM dirty") == 1)
    }
  }

  /// Sends a message whose effect is a mark.
  private func send(
    _ key: String, _ content: UInt8, by node: NodeIdentity, to registry: TestRegistry
  ) async throws -> MessageRepetition {
    try await registry.store.write { transaction in
      let found = try await transaction.answered(key, of: node, hash: hash(content))
      guard found == .new else { return found }
      _ = try await transaction.block(
        imei(UInt64(content) + 10 * UInt64(node.number)),
        with: NewGround(
          on: .imei(imei(UInt64(content))), code: .stolen,
          source: "message \(key) of \(node.number)"), by: "test")
      try await transaction.remember(Self.answer, key: key, of: node)
      return .new
    }
  }
}

/// Queries that are answered later.
@Suite(.serialized)
struct QueriesTests {
  @Test func `a query waits, is answered once and known to its node alone`() async throws {
    try await withNodes { registry, alfa, beta in
      let names = try await ask(3, by: alfa, registry)
      #expect(names.allSatisfy { $0.utf8.count == 32 })
      #expect(Set(names).count == 3)
      #expect(try await state(names[0], of: alfa, registry) == .pending)
      #expect(try await state(names[0], of: beta, registry) == nil)
      #expect(try await state("unheard", of: alfa, registry) == nil)
      let claimed = try await registry.store.write { transaction -> PendingQuery? in
        guard let query = try await transaction.claimQuery() else { return nil }
        try await transaction.answer(query, with: [7])
        return query
      }
      #expect(claimed?.query == names[0], "the oldest first")
      #expect(claimed?.request == [0])
      #expect(claimed?.node == alfa)
      #expect(try await state(names[0], of: alfa, registry) == .answered([7]))
      #expect(try await state(names[1], of: alfa, registry) == .pending)
      #expect(
        try await registry.number(
          "SELECT count(*) FROM exchange_query WHERE answer IS NOT NULL AND request IS NOT NULL")
          == 0, "the request goes with its answer")
    }
  }

  @Test func `two at once answer different queries, and one that fails leaves its own`()
    async throws
  {
    try await withNodes { registry, alfa, _ in
      let names = try await ask(2, by: alfa, registry)
      try await registry.store.write { first in
        #expect(try await first.claimQuery()?.query == names[0])
        try await registry.store.write { second in
          #expect(try await second.claimQuery()?.query == names[1])
          let third = try await registry.store.write { try await $0.claimQuery()?.query }
          #expect(third == nil)
        }
      }
      let again = try await registry.store.write { try await $0.claimQuery() }
      #expect(again?.query == names[0], "neither was answered")
    }
  }

  @Test func `after a day a query is unknown`() async throws {
    try await withNodes { registry, alfa, _ in
      let names = try await ask(1, by: alfa, registry)
      try await registry.script(
        "UPDATE exchange_query SET received_at = received_at - interval '24 hours'")
      #expect(try await state(names[0], of: alfa, registry) == nil)
      #expect(try await registry.store.write { try await $0.claimQuery()?.query } == nil)
    }
  }

  @Test func `a query without an answer ends with its code, and the next goes on`() async throws {
    try await withNodes { registry, alfa, _ in
      let names = try await ask(2, by: alfa, registry)
      try await registry.store.write { transaction in
        let query = try #require(try await transaction.claimQuery())
        try await transaction.refuse(query, code: 1_014)
      }
      #expect(try await state(names[0], of: alfa, registry) == .refused(code: 1_014))
      let next = try await registry.store.write { try await $0.claimQuery() }
      #expect(next?.query == names[1])
    }
  }

  @Test(arguments: [
    "UPDATE node SET revoked_at = now() WHERE node_id = (SELECT min(node_id) FROM node)",
    "UPDATE operator SET retired_at = now() WHERE code = 'alfa'",
  ])
  func `queries of a former node are not taken, but ended`(retirement: String) async throws {
    try await withNodes { registry, alfa, beta in
      let theirs = try await ask(2, by: alfa, registry)
      let mine = try await ask(1, by: beta, registry)
      try await registry.script(retirement)
      let next = try await registry.store.write { try await $0.claimQuery() }
      #expect(next?.query == mine[0])
      for ended in [2, 0] {
        let count = try await registry.store.write {
          try await $0.refuseQueriesOfFormerNodes(code: 1_021)
        }
        #expect(count == ended)
      }
      for name in theirs {
        #expect(try await state(name, of: alfa, registry) == .refused(code: 1_021))
      }
      #expect(try await state(mine[0], of: beta, registry) == .pending)
    }
  }

  @Test func `a node that asks too much is told so`() async throws {
    try await withNodes { registry, alfa, beta in
      _ = try await ask(RegistryTransaction.mostWaitingQueries, by: alfa, registry)
      await registry.expectError(.queriesWaiting) { _ = try await $0.insertQuery([1], of: alfa) }
      #expect(try await ask(1, by: beta, registry).count == 1)
    }
  }

  private func ask(
    _ count: Int, by node: NodeIdentity, _ registry: TestRegistry
  ) async throws -> [String] {
    var names: [String] = []
    for number in 0..<count {
      names.append(
        try await registry.store.write {
          try await $0.insertQuery([UInt8(truncatingIfNeeded: number)], of: node)
        })
    }
    return names
  }

  private func state(
    _ name: String, of node: NodeIdentity, _ registry: TestRegistry
  ) async throws -> QueryState? {
    try await registry.store.read { try await $0.query(name, of: node) }
  }
}

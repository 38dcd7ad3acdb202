import AsyncHTTPClient
import CEIRService
import DeviceIdentity
import DeviceLists
import ListExchange
import NIOHTTP1
import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// What one node may ask, and what becomes of one that asks too much, takes too little, or is two.
///
/// One at a time: some have long journals.
@Suite(.serialized)
struct LimitTests {
  private static func acknowledgement(_ head: ListHead) -> String {
    #"{"epoch":"\#(head.epoch)","position":\#(head.position),"digest":"\#(head.digest)","held":0}"#
  }

  @Test func `a node beyond its allowance is told when to come again, and others are served`()
    async throws
  {
    var limits = NodeLimits()
    limits.messages = .init(perSecond: 0.001, burst: 3)
    let world = try await ExchangeWorld.start(limits: limits)
    let (node, other) = (try await world.node("alfa"), try await world.node("beta"))
    func tell(_ node: TestNode, _ key: String) async throws -> TestNode.Answer {
      try await node.send(
        "POST", ExchangePath.acknowledgements, Self.acknowledgement(try await world.head()),
        key: key)
    }
    for key in ["a", "b", "c"] { #expect(try await tell(node, key).status == 204) }
    let refused = try await tell(node, "d")
    #expect(refused.status == 429)
    #expect(refused.code == .limitReached)
    #expect(refused.headers["retry-after"].flatMap { Int($0) } ?? 0 >= 1)
    // A repetition changes nothing and costs nothing; neither does a question.
    #expect(try await tell(node, "a").status == 204)
    #expect(try await node.send("GET", ExchangePath.status).status == 200)
    #expect(try await tell(other, "d").status == 204)
    try await world.stop()
  }

  @Test func `every kind of request counts, where nothing is saved up`() async throws {
    var limits = NodeLimits()
    limits.requests = .init(perSecond: 0.001, burst: 2)
    let world = try await ExchangeWorld.start(limits: limits)
    let node = try await world.node()
    var statuses: [Int] = []
    for _ in 0..<4 {
      statuses.append(try await node.send("GET", ExchangePath.status).status)
    }
    #expect(statuses == [200, 200, 429, 429])
    try await world.stop()
  }

  @Test func `an operator whose messages wait for one another leaves the database to others`()
    async throws
  {
    var limits = NodeLimits()
    limits.messagesAtOnce = 1
    let world = try await ExchangeWorld.start(limits: limits)
    let (node, other) = (try await world.node("alfa"), try await world.node("beta"))
    let number = try await world.identity("alfa").operatorNumber.number
    let body = #"{"kind":"block","imei":"490154203237518","reason":"r"}"#
    func tell(_ node: TestNode, _ key: String) async throws -> TestNode.Answer {
      try await node.send(
        "POST", ExchangePath.acknowledgements, Self.acknowledgement(try await world.head()),
        key: key)
    }
    let first = try await world.owner.transaction { connection in
      try await connection.query(
        "SELECT 1 FROM ceir.operator WHERE operator_id = $1 FOR UPDATE", number)
      let first = Task { try await node.send("POST", ExchangePath.requests, body, key: "r") }
      try await eventually("the first waits for the lock") {
        try await connection.query(
          "SELECT 1 FROM pg_locks WHERE NOT granted"
        ).count > 0
      }
      #expect(try await tell(node, "t").code == .limitReached)
      #expect(try await tell(other, "o").status == 204)
      #expect(try await node.send("GET", ExchangePath.status).status == 200)
      return first
    }
    #expect(try await first.value.status == 201)
    #expect(try await tell(node, "z").status == 204)
    try await world.stop()
  }

  @Test func `bodies under way are limited for each node, and their room comes back`()
    async throws
  {
    var limits = NodeLimits()
    limits.bodyBytesAtOnce = 1_000
    let world = try await ExchangeWorld.start(limits: limits)
    let node = try await world.node("alfa")
    func list(_ count: Int) -> String {
      (0..<count).map { #"{"imei":"\#(35_000_000_000_000 + $0)"}"# + "\n" }.joined()
    }
    for key in ["a", "b", "c"] {
      let answer = try await node.send(
        "PUT", ExchangePath.ownList, list(12), type: ExchangePath.ndjson, key: key)
      #expect(answer.status == 200, "\(answer.text)")
    }
    let refused = try await node.send(
      "PUT", ExchangePath.ownList, list(60), type: ExchangePath.ndjson, key: "d")
    #expect(refused.code == .limitReached, "\(refused.text)")
    try await world.stop()
  }

  @Test func `the day's requests of an operator end with the seconds that are left`() async throws {
    let world = try await ExchangeWorld.start()
    let node = try await world.node()
    try await world.store.write { registry in
      var policy = OperatorPolicy(mode: .unknown)
      policy.dailyLimit = 1
      try await registry.setPolicy(policy, of: #require(OperatorCode("alfa")), by: "test")
    }
    let body = #"{"kind":"block","imei":"490154203237518","reason":"r"}"#
    #expect(try await node.send("POST", ExchangePath.requests, body, key: "1").status == 201)
    let refused = try await node.send("POST", ExchangePath.requests, body, key: "2")
    #expect(refused.code == .limitReached)
    let seconds = try #require(refused.headers["retry-after"].flatMap { Int($0) })
    #expect((1...90_000).contains(seconds))
    try await world.stop()
  }

  @Test func `one certificate on two machines is noticed and said`() async throws {
    let world = try await ExchangeWorld.start()
    let node = try await world.node()
    let machines = ["a", "b"].map { String(repeating: $0, count: 32) }
    for machine in [machines[0], machines[1], machines[0]] {
      #expect(try await world.metric("ceir_exchange_two_machines_total") == 0)
      let answer = try await node.send(
        "GET", ExchangePath.status, headers: [(ExchangeHeader.instance, machine)])
      #expect(answer.status == 200, "both go on being served")
    }
    try await eventually("the notice") {
      try await world.metric("ceir_exchange_two_machines_total") == 1
    }
    let record = try await world.store.read {
      try await $0.operatorRecords().flatMap(\.nodes).first { $0.twoMachines != nil }
    }
    #expect(record?.name == "eir-1")
    #expect(record?.twoMachines?.shareCertificate == true)
    try await world.stop()
  }

  @Test func `where a snapshot is cheaper a node hears so, unless it insists`() async throws {
    let world = try await ExchangeWorld.start()
    let node = try await world.node()
    try await world.addBlacks(12_000, step: 1)
    let head = try await world.head()
    try await eventually("the lists at \(head.position)") {
      try await node.send("HEAD", ExchangePath.snapshot + "?after=\(head.position)").status == 200
    }
    func question(insists: Bool) -> ChangesRequest {
      ChangesRequest(epoch: head.epoch, after: .start, digest: .zero, insists: insists)
    }
    let refused = try await node.send("GET", question(insists: false).target)
    #expect(refused.status == 409)
    #expect(refused.code == .snapshotIsCheaper)
    let problem = try ExchangeProblem(json: refused.body)
    #expect((problem.epoch, problem.position) == (head.epoch, head.position))
    let delta = try await node.send("GET", question(insists: true).target)
    #expect(delta.status == 200)
    var decoder = DeltaStreamDecoder(
      feed: Feed(of: try #require(OperatorCode("alfa"))), after: .start)
    let received = try delta.body.withUnsafeBytes { try decoder.append($0) }
    #expect(received.first.map { (1...10_000).contains($0.changes.count) } == true)
    try await world.stop()
  }

  @Test func `a reader that takes nothing is dropped after its time, and little waits for it`()
    async throws
  {
    var limits = NodeLimits()
    limits.readerPatience = .seconds(2)
    let world = try await ExchangeWorld.start(limits: limits)
    let count = 150_000
    try await world.addBlacks(count, step: 1_000_003)
    let head = try await world.head()
    let stream = ChangesRequest(
      epoch: head.epoch, after: .start, digest: .zero, waitSeconds: 50, isStream: true,
      insists: true)
    let probe = try await world.node("beta")
    let snapshot = ExchangePath.snapshot + "?after=\(head.position)"
    try await eventually("the lists at \(head.position)") {
      try await probe.send("HEAD", snapshot).status == 200
    }
    for (number, target) in [stream.target, snapshot].enumerated() {
      let node = try await world.node("alfa", "eir-\(number)")
      let response = try await node.open("GET", target)
      #expect(response.status == .ok)
      try await eventually("the end of \(target)", within: 60) {
        try await world.metric("ceir_exchange_dropped_readers_total") ?? 0 > number
      }
      await #expect(throws: (any Error).self, "the answer was cut off") {
        for try await piece in response.body { _ = piece }
      }
      #expect(try await node.send("GET", ExchangePath.status).status == 200)
    }
    let sent = try #require(try await world.metric("ceir_exchange_changes_total"))
    #expect(sent <= count / 2, "only what the sockets hold was read for it")
    #expect(try await world.metric("ceir_exchange_snapshots_total") == 0)
    try await world.stop()
  }
}

extension ExchangeWorld {
  /// Makes devices black as a mass change does, `step` apart, and waits for the publication.
  func addBlacks(_ count: Int, step: Int, scope: Int32 = 0) async throws {
    let before = try await head().position.number
    try await owner.withConnection { connection in
      try await connection.script(
        """
        WITH added AS (
          INSERT INTO ceir.ground (subject_kind, subject_key1, subject_key2, scope, code, status,
                                   overridable, source, started_at, recorded_by)
          SELECT 1, 35000000000000 + n::bigint * \(step), 0, \(scope), 'stolen', 1, false, 'mass',
                 now(), 'test'
            FROM generate_series(1, \(count)) n
          RETURNING subject_key1
        )
        INSERT INTO ceir.dirty (subject_kind, subject_key1, subject_key2, scope, priority)
        SELECT 1, subject_key1, 0, \(scope), 2 FROM added
        """)
    }
    try await eventually("the publication of \(count)", within: 120) {
      try await self.head().position.number == before + UInt64(count)
    }
  }
}

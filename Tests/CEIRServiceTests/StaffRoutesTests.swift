import CEIRService
import DeviceIdentity
import DeviceLists
import Hummingbird
import HummingbirdTesting
import ListExchange
import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// `/v1` as the staff meet it, each request with the token of a role.
struct StaffRoutesTests {
  private struct Ask {
    let role: StaffRole?
    let method: HTTPRequest.Method
    let path: String
    let body: String
    let status: Int
    let words: String

    init(
      _ role: StaffRole?, _ method: HTTPRequest.Method, _ path: String, _ body: String,
      _ status: Int, _ words: String
    ) {
      (self.role, self.method, self.path) = (role, method, path)
      (self.body, self.status, self.words) = (body, status, words)
    }

    init(
      _ role: StaffRole?, _ method: HTTPRequest.Method, _ path: String, _ status: Int,
      _ words: String
    ) {
      self.init(role, method, path, "", status, words)
    }
  }

  @Test func `requests are looked at by all and decided by some`() async throws {
    try await withStaff { registry, ask in
      let pending = try await submit(.block, 1, to: registry)
      let other = try await submit(.unblock, 2, to: registry)
      let reason = #"{"reason":"no police report"}"#
      for step in [
        Ask(nil, .get, "/requests", 401, "unauthenticated"),
        Ask(.viewer, .get, "/requests?state=pending", 200, #""request":"\#(pending)""#),
        Ask(.viewer, .get, "/requests?limit=1", 200, #""next":"\#(pending)""#),
        Ask(.viewer, .get, "/requests?after=\(pending)", 200, #""request":"\#(other)""#),
        Ask(.viewer, .get, "/requests?after=unheard", 400, "unknownCursor"),
        Ask(.viewer, .get, "/requests?state=published", 200, #"{"requests":[]}"#),
        Ask(.viewer, .get, "/requests?state=open", 400, "pending, accepted, published or refused"),
        Ask(.viewer, .get, "/requests?operator=Alfa", 400, "not the code of an operator"),
        Ask(.viewer, .get, "/requests?operator=beta", 400, "unknownOperator"),
        Ask(.viewer, .get, "/requests?limit=0", 400, "from 1 to 1000"),
        Ask(.auditor, .get, "/requests/\(pending)", 200, #""subscriber":"own""#),
        Ask(.auditor, .get, "/requests/unheard", 404, "unknownRequest"),
        Ask(.approver, .post, "/requests/\(pending)/accept", 403, "may look but not decide"),
        Ask(.viewer, .post, "/requests/\(other)/refuse", reason, 403, "may look but not decide"),
        Ask(.officer, .post, "/requests/\(other)/refuse", "{}", 400, "is missing"),
        Ask(.officer, .post, "/requests/\(other)/refuse", reason, 200, #""state":"refused""#),
        Ask(.officer, .post, "/requests/\(other)/accept", 409, "decidedAlready"),
        Ask(.officer, .post, "/requests/\(pending)/accept", 202, #""state":"accepted""#),
      ] { try await ask(step) }
      let state = try await registry.store.write { try await $0.request(pending)?.decidedBy }
      #expect(state == "officer")
    }
  }

  @Test func `a mass change is approved by two tokens of role approver`() async throws {
    try await withStaff { registry, ask in
      try await registry.store.write {
        try await $0.addToken(
          named: "second", role: .approver, hash: Secret("ceir_second").hash, expiresAt: nil)
      }
      try await registry.owner.transaction { try await $0.script(Self.run) }
      for step in [
        Ask(nil, .get, "/mass", 401, "unauthenticated"),
        Ask(.viewer, .get, "/mass", 200, #""after":0,"approvals":[],"blacks":3"#),
        Ask(.administrator, .post, "/mass/1/approval", 403, "not one in force of role approver"),
        Ask(.approver, .post, "/mass/one/approval", 400, "number of its run"),
        Ask(.approver, .post, "/mass/2/approval", 404, "unknownRun"),
        Ask(.approver, .post, "/mass/1/approval", 200, #""approvals":["approver"],"blacks":3"#),
        Ask(.approver, .post, "/mass/1/approval", 409, "approvedAlready"),
      ] { try await ask(step) }
      #expect(try await marks(registry).isEmpty)
      let approved = try await Registrar(store: registry.store).approve(
        run: 1, with: Secret("ceir_second"))
      #expect(approved.isMarked)
      #expect(try await marks(registry).map(\.blacks) == [3])
    }
  }

  @Test func `a policy is seen by all and set by administrators`() async throws {
    try await withStaff { registry, ask in
      let policy =
        #"{"blockRequests":"refused","dailyLimit":5,"mode":"grey","unblockRequests":"accepted"}"#
      let path = "/operators/alfa/policy"
      for step in [
        Ask(.viewer, .get, path, 200, #""blockRequests":"reviewed""#),
        Ask(.viewer, .get, "/operators/beta/policy", 400, "unknownOperator"),
        Ask(.viewer, .get, "/operators/all/policy", 400, "not the code of an operator"),
        Ask(.officer, .put, path, policy, 403, "Only the role administrator"),
        Ask(.administrator, .put, path, "{}", 400, "is missing"),
        Ask(
          .administrator, .put, path, policy.replacing("grey", with: "pink"), 400,
          "unknown, white, grey or black"),
        Ask(
          .administrator, .put, path, policy.replacing("refused", with: "lost"), 400,
          "accepted, reviewed or refused"),
        Ask(.administrator, .put, path, policy.replacing("5", with: "-5"), 400, "daily limit"),
        Ask(.administrator, .put, path, policy, 200, policy),
        Ask(.viewer, .get, path, 200, policy),
      ] { try await ask(step) }
      let alfa = try #require(OperatorCode("alfa"))
      let found = try await registry.store.read { try await $0.policy(of: alfa) }
      #expect(
        found
          == OperatorPolicy(
            mode: .grey, blockRequests: .refused, unblockRequests: .accepted, dailyLimit: 5))
    }
  }

  @Test func `parameters are proposed by administrators, to an operator or to a node`()
    async throws
  {
    try await withStaff { registry, ask in
      _ = try await submit(.block, 1, to: registry)  // Makes the node.
      let path = "/operators/alfa/parameters"
      let push = #"{"style":"push","endpoint":"https://127.0.0.1:9443"}"#
      let files =
        #"{"style":"files","effectiveAfter":7,"# + #""files":{"compression":"gzip","#
        + #""fullSeconds":60,"incrementalSeconds":5}}"#
      for step in [
        Ask(.viewer, .get, path, 200, #"{"versions":[]}"#),
        Ask(.officer, .put, path, push, 403, "Only the role administrator"),
        Ask(.administrator, .put, path, push, 200, #""version":1"#),
        Ask(.administrator, .put, path, #"{"style":"push"}"#, 400, "endpoint"),
        Ask(.administrator, .put, path, #"{"style":"pull"}"#, 400, "follow, push, pushAsync"),
        Ask(
          .administrator, .put, path,
          #"{"style":"follow","window":{"changes":9999,"seconds":1}}"#, 400, "unfit"),
        Ask(.administrator, .put, path + "?node=eir-9", push, 400, "unknownNode"),
        Ask(.administrator, .put, path + "?node=EIR", push, 400, "not the name of a node"),
        Ask(.administrator, .put, path + "?node=eir-1", files, 200, #""compression":"gzip""#),
        Ask(.viewer, .get, path, 200, #""effectiveAfter":7"#),
      ] { try await ask(step) }
      let alfa = try #require(OperatorCode("alfa"))
      try await Registrar(store: registry.store).confirmParameters(2, of: alfa, by: "anna")
      let again = try await Registrar(store: registry.store).propose(
        for: alfa, node: nil, by: "anna"
      ) { $0.window.seconds = 5 }
      #expect((again.version, again.style, again.window.seconds) == (3, .push, 5))
      #expect(again.endpoint == "https://127.0.0.1:9443")
      let records = try await registry.store.read { try await $0.parameters(of: alfa) }
      #expect(records.map(\.version) == [3, 2, 1])
      #expect(records.map(\.confirmedBy) == [nil, "anna", nil])
    }
  }

  @Test func `an unblock says what keeps the device black`() async throws {
    try await withStaff { registry, ask in
      let device = "/devices/490154203237518"
      let block = #"{"caseReference":"1","reason":"x"}"#
      for source in ["police", "court"] {
        try await registry.store.write {
          let imei = try IMEI(dialled: "490154203237518")
          _ = try await $0.block(
            imei, with: NewGround(on: .imei(imei), code: .fraud, source: source), by: "test")
        }
      }
      for step in [
        Ask(.officer, .post, device + "/block", block, 202, "recorded"),
        Ask(.officer, .post, device + "/unblock", block, 202, #""source":"court""#),
        Ask(.officer, .post, device + "/release", block, 202, "recorded"),
        Ask(.officer, .post, device + "/block", block, 202, "recorded"),
        Ask(.officer, .post, device + "/unblock", block, 202, #""stillBlack":[]"#),
      ] { try await ask(step) }
    }
  }

  /// An import of three devices, published.
  private static let run = """
    SET LOCAL search_path = ceir;
    INSERT INTO import (kind, file_name, sha256, source, form, rows_read, rows_kept, rows_repeated,
                        rows_refused, imported_by)
    VALUES ('stolen', 'a.csv', decode(repeat('00', 32), 'hex'), 'police', '', 3, 3, 0, 0, 'test');
    INSERT INTO ground (subject_kind, subject_key1, subject_key2, scope, code, status, overridable,
                        source, import_id, started_at, recorded_by)
    SELECT 1, n, 0, 0, 'stolen', 1, false, 'police', 1, now(), 'test' FROM generate_series(1, 3) n;
    INSERT INTO journal (position, subject_kind, subject_key1, subject_key2, scope, status,
                         ground_codes, overridable)
    SELECT n, 1, n, 0, 0, 1, '{stolen}', false FROM generate_series(1, 3) n;
    """

  /// A registry with the operator alfa, its node, and a token of each role.
  private func withStaff(
    _ body: @Sendable (TestRegistry, (Ask) async throws -> Void) async throws -> Void
  ) async throws {
    let registry = try await TestRegistry.make()
    let alfa = try #require(OperatorCode("alfa"))
    let network = try PLMN("00101")
    try await registry.store.write {
      try await $0.addOperator(
        alfa, name: "Alfa", networks: [network], mode: .unknown, by: "test")
      for role in StaffRole.allCases {
        try await $0.addToken(
          named: role.rawValue, role: role, hash: Secret("ceir_\(role)").hash, expiresAt: nil)
      }
    }
    let router = Router()
    router.add(middleware: ProblemMiddleware())
    StaffRoutes(store: registry.store, metrics: CEIRMetrics()).add(to: router.group("v1"))
    try await Application(router: router).test(.router) { client in
      try await body(registry) { ask in
        var headers: HTTPFields = [:]
        if let role = ask.role { headers[.authorization] = "Bearer ceir_\(role)" }
        try await client.execute(
          uri: "/v1\(ask.path)", method: ask.method, headers: headers,
          body: ByteBuffer(string: ask.body)
        ) { response in
          let text = String(buffer: response.body)
          #expect(response.status.code == ask.status, "\(ask.path): \(text)")
          #expect(text.contains(ask.words), "\(ask.path): \(text)")
        }
      }
    }
    await registry.close()
  }

  private func marks(_ registry: TestRegistry) async throws -> [MassMarkRecord] {
    try await registry.store.read { try await $0.massMarks(youngerThan: 86_400) }
  }

  private func submit(
    _ kind: NewDeviceRequest.Kind, _ serial: UInt64, to registry: TestRegistry
  ) async throws -> String {
    let alfa = try #require(OperatorCode("alfa"))
    let eir = try #require(NodeName("eir-1"))
    let imei = try #require(IMEI(number: 35_000_000_000_000 + serial))
    let imsi = try IMSI("001010000000001")
    return try await registry.store.write {
      let node = try await $0.addNode(named: eir, of: alfa)
      let request = NewDeviceRequest(kind: kind, imei: imei, imsi: imsi, reason: "stolen")
      return try await $0.submit(request, of: node).request
    }
  }
}

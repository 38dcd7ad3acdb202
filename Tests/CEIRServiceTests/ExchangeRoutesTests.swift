import CEIRService
import Crypto
import DeviceLists
import ExchangeTrust
import ListExchange
import PostgreSQL
import RegistryStore
import Simulation
import SwiftASN1
import Testing
import X509

/// Every route of the exchange as nodes and strangers meet it, over TLS.
struct ExchangeRoutesTests {
  private struct Ask {
    let method: String
    let path: String
    var body: String?
    var type = ExchangePath.json
    var key: String?
    let status: Int
    let words: String
  }

  private static let imei = "490154203237518"
  private static let zero = String(repeating: "0", count: 64)
  private static let noEpoch = String(repeating: "a", count: 32)

  private static func changes(_ epoch: String, _ after: Int, _ digest: String) -> String {
    "\(ExchangePath.changes)?epoch=\(epoch)&after=\(after)&digest=\(digest)"
  }

  @Test func `each request gets its answer, and a wrong one its code`() async throws {
    let world = try await ExchangeWorld.start()
    let node = try await world.node()
    try await world.block(49_015_420_323_751)
    let head = try await world.head()
    let epoch = head.epoch.description
    let request = #"{"kind":"block","imei":"\#(Self.imei)","reason":"r"}"#
    let sighting =
      #"{"imei":"49015420323751","imsi":"001010000000001","status":"black","#
      + #""seenAt":"\#(Instant.now)"}"# + "\n"
    let asks = [
      Ask(method: "GET", path: ExchangePath.openAPI, status: 200, words: "openapi: 3.1"),
      Ask(method: "GET", path: ExchangePath.status, status: 200, words: epoch),
      Ask(method: "GET", path: "/exchange/v1/nothing", status: 404, words: "1003"),
      Ask(method: "DELETE", path: ExchangePath.status, status: 405, words: "1010"),
      Ask(method: "GET", path: ExchangePath.changes, status: 400, words: "1000"),
      Ask(
        method: "GET", path: Self.changes(Self.noEpoch, 0, Self.zero), status: 409,
        words: "1004"),
      Ask(method: "GET", path: Self.changes(epoch, 9, Self.zero), status: 409, words: "1005"),
      Ask(method: "GET", path: Self.changes(epoch, 1, Self.zero), status: 412, words: "1007"),
      Ask(
        method: "GET", path: Self.changes(epoch, 0, Self.zero) + "&after=1", status: 400,
        words: "stands twice"),
      Ask(
        method: "GET", path: Self.changes(epoch, 0, Self.zero), status: 200,
        words: #""imei":"49015420323751","status":"black","grounds":["stolen"]"#),
      Ask(
        method: "POST", path: ExchangePath.luStatus, body: #"{"imei":"\#(Self.imei)"}"#,
        status: 200, words: #""status":"black","grounds":["stolen"]"#),
      Ask(
        method: "POST", path: ExchangePath.luStatus,
        body: #"{"queries":[{"imei":"\#(Self.imei)"},{"imei":"*#06#"}]}"#, status: 200,
        words: #""rule":"unusable""#),
      Ask(method: "POST", path: ExchangePath.luStatus, body: "{", status: 400, words: "1000"),
      Ask(
        method: "POST", path: ExchangePath.luStatus, body: "{}", type: "text/plain", status: 415,
        words: "1011"),
      Ask(
        method: "POST", path: ExchangePath.luStatus,
        body: #"{"imei":"1","askedAt":"2099-01-01T00:00:00Z"}"#, status: 422, words: "1014"),
      Ask(
        method: "POST", path: ExchangePath.luStatus,
        body: String(repeating: " ", count: ExchangeLimits.longestLUStatusBytes + 1), status: 413,
        words: "1012"),
      Ask(
        method: "POST", path: ExchangePath.requests, body: request, status: 400, words: "1017"),
      Ask(
        method: "POST", path: ExchangePath.requests, body: request, key: "r1", status: 201,
        words: #""state":"pending""#),
      Ask(
        method: "POST", path: ExchangePath.requests,
        body: #"{"kind":"sell","imei":"\#(Self.imei)","reason":"r"}"#, key: "r2", status: 422,
        words: "1105"),
      Ask(method: "GET", path: ExchangePath.requests, status: 200, words: #""requests":[{"#),
      Ask(
        method: "GET", path: ExchangePath.requests + "?state=odd", status: 400, words: "1000"),
      Ask(
        method: "GET", path: ExchangePath.requests + "/" + Self.noEpoch, status: 404,
        words: "1003"),
      Ask(
        method: "POST", path: ExchangePath.sightings, body: sighting + sighting,
        type: ExchangePath.ndjson, key: "s1", status: 200, words: #"{"taken":1,"repeated":1}"#),
      Ask(
        method: "POST", path: ExchangePath.sightings, body: sighting + "{\n",
        type: ExchangePath.ndjson, key: "s2", status: 422, words: "line 2"),
      Ask(
        method: "PUT", path: ExchangePath.ownList, body: #"{"imei":"35824005111110"}"# + "\n",
        type: ExchangePath.ndjson, key: "o1", status: 200, words: #""added":1"#),
      Ask(
        method: "PATCH", path: ExchangePath.ownList,
        body: #"{"operation":"remove","imei":"35824005111110"}"# + "\n",
        type: ExchangePath.ndjson, key: "o2", status: 200, words: #""ended":1"#),
      Ask(method: "GET", path: ExchangePath.parameters, status: 200, words: #""style":"follow""#),
      Ask(
        method: "POST", path: ExchangePath.parameterConfirmations, body: #"{"version":7}"#,
        key: "p1", status: 409, words: "1019"),
      Ask(
        method: "POST", path: ExchangePath.fileResends, body: #"{"number":3}"#, key: "f1",
        status: 404, words: "1003"),
      Ask(
        method: "POST", path: ExchangePath.acknowledgements,
        body: #"{"epoch":"\#(epoch)","position":1,"digest":"\#(head.digest)","held":0}"#,
        key: "a1", status: 204, words: ""),
      Ask(
        method: "POST", path: ExchangePath.certificates, body: "none",
        type: ExchangePath.certificateRequest, key: "c1", status: 400, words: "1000"),
    ]
    for ask in asks {
      let answer = try await node.send(
        ask.method, ask.path, ask.body, type: ask.type, key: ask.key)
      #expect(answer.status == ask.status, "\(ask.method) \(ask.path): \(answer.text)")
      #expect(answer.text.contains(ask.words), "\(ask.method) \(ask.path): \(answer.text)")
      if answer.status >= 400 {
        #expect(answer.code != nil, "\(ask.method) \(ask.path): \(answer.text)")
      } else {
        #expect(answer.headers[ExchangeHeader.parameters.lowercased()] == "0")
      }
    }
    try await world.stop()
  }

  @Test func `HEAD says what GET would, and every address names its methods`() async throws {
    let world = try await ExchangeWorld.start()
    let node = try await world.node()
    let head = try await node.send("HEAD", ExchangePath.openAPI)
    let get = try await node.send("GET", ExchangePath.openAPI)
    #expect(head.status == 200)
    #expect(head.body.isEmpty)
    #expect(head.headers["content-length"] == "\(get.body.count)")
    for path in [ExchangePath.openAPI + "/", "/" + ExchangePath.openAPI] {
      let answer = try await node.send("GET", path)
      #expect(answer.code == .notFound, "\(path): \(answer.text)")
    }
    for path in Set(ExchangeRoutes.served.map(\.path)) {
      let address = path.replacing("{id}", with: Self.noEpoch)
      let answer = try await node.send("OPTIONS", address)
      let methods = ExchangeRoutes.served.filter { $0.path == path }.map(\.method)
      let allowed = (methods.contains("GET") ? methods + ["HEAD"] : methods).sorted()
      #expect(answer.code == .methodNotAllowed, "\(path): \(answer.text)")
      #expect(answer.headers["allow"] == allowed.joined(separator: ", "))
    }
    try await world.stop()
  }

  @Test func `a message is done once, and its key is for nothing else`() async throws {
    let world = try await ExchangeWorld.start()
    let node = try await world.node()
    let body = #"{"kind":"block","imei":"\#(Self.imei)","reason":"r"}"#
    let first = try await node.send("POST", ExchangePath.requests, body, key: "k")
    let again = try await node.send("POST", ExchangePath.requests, body, key: "k")
    #expect(first.status == 201)
    #expect(again.status == 201)
    #expect(again.body == first.body)
    #expect(again.headers["location"] == first.headers["location"])
    #expect(first.headers["idempotency-replayed"] == nil)
    #expect(again.headers["idempotency-replayed"] == "true")
    let other = try await node.send("POST", ExchangePath.requests, body + " ", key: "k")
    #expect(other.code == .keyReused)
    // Another node may use the same key.
    let neighbour = try await world.node("alfa", "eir-2")
    let theirs = try await neighbour.send("POST", ExchangePath.requests, body, key: "k")
    #expect(theirs.status == 201)
    #expect(theirs.body != first.body)
    // Two at once are one.
    async let left = node.send("POST", ExchangePath.requests, body, key: "k2")
    async let right = node.send("POST", ExchangePath.requests, body, key: "k2")
    let (one, two) = try await (left, right)
    #expect(one.body == two.body)
    try await world.stop()
  }

  @Test func `an operator sees nothing of another's`() async throws {
    let world = try await ExchangeWorld.start()
    let alfa = try await world.node()
    let beta = try await world.node("beta")
    let queries = #"{"queries":[{"imei":"\#(Self.imei)"}]}"#
    let asked = try await alfa.send("POST", ExchangePath.queries, queries, key: "q")
    #expect(asked.status == 202)
    let location = try #require(asked.headers["location"])
    try await eventually("the answer of a query") {
      try await alfa.send("GET", location).text.contains(#""state":"answered""#)
    }
    #expect(try await alfa.send("GET", location).text.contains(#""rule":"mode""#))
    #expect(try await beta.send("GET", location).code == .notFound)
    let request = #"{"kind":"block","imei":"\#(Self.imei)","reason":"r"}"#
    let made = try await alfa.send("POST", ExchangePath.requests, request, key: "r")
    let path = try #require(made.headers["location"])
    #expect(try await alfa.send("GET", path).status == 200)
    #expect(try await beta.send("GET", path).code == .notFound)
    #expect(try await beta.send("GET", ExchangePath.requests).text == #"{"requests":[]}"#)
    let name = try #require(path.split(separator: "/").last)
    for (node, after, isUsable) in [
      (alfa, "\(name)", true), (beta, "\(name)", false), (alfa, "?", false),
    ] {
      let answer = try await node.send("GET", "\(ExchangePath.requests)?after=\(after)")
      #expect(answer.code == (isUsable ? nil : .badRequest), "\(answer.text)")
    }
    // A feed is that of the certificate, whatever is asked.
    try await world.block(49_015_420_323_751, scope: .only(#require(OperatorCode("alfa"))))
    let head = try await world.head(of: "beta")
    let theirs = try await beta.changes(from: .beginning(of: head.epoch))
    #expect(theirs.flatMap(\.changes).isEmpty)
    let own = try await alfa.changes(from: .beginning(of: head.epoch))
    #expect(own.flatMap(\.changes).count == 1)
    try await world.stop()
  }

  @Test func `a revoked certificate closes what it has open, and a stranger's opens nothing`()
    async throws
  {
    let world = try await ExchangeWorld.start()
    let node = try await world.node()
    #expect(try await node.send("GET", ExchangePath.status).status == 200)
    try await world.store.write {
      try await $0.revokeCertificate(
        serial: node.serial.description, by: "test", reason: "lost")
    }
    try await eventually("the end of the connection") {
      do {
        return try await node.send("GET", ExchangePath.status).status != 200
      } catch {
        return true
      }
    }
    let other = try CertificateAuthority.make(
      registry: #require(RegistryName("XA")), lifetimes: .init(), asOf: .now
    ).authority
    let stranger = try TestNode(
      role: node.role, credential: other.issue(node.role, days: 9, asOf: .now),
      root: world.authority.root, directory: "\(world.directory)/stranger",
      url: world.exchangeURL)
    await #expect(throws: (any Error).self) {
      _ = try await stranger.send("GET", ExchangePath.status)
    }
    try await world.stop()
  }

  @Test func `a node renews its certificate with the one it has`() async throws {
    let world = try await ExchangeWorld.start()
    let node = try await world.node()
    let key = P256.Signing.PrivateKey()
    let answer = try await node.send(
      "POST", ExchangePath.certificates, CertificateRequest.pemText(for: key),
      type: ExchangePath.certificateRequest, key: "c")
    #expect(answer.status == 201, "\(answer.text)")
    let end = "-----END CERTIFICATE-----"
    let first = try #require(answer.text.split(separator: end).first)
    let leaf = try Certificate(pemEncoded: first + end + "\n")
    #expect(leaf.peerName?.role == node.role)
    let known = try await world.store.read { try await $0.certificates().map(\.serial) }
    #expect(known.contains(leaf.serial.description))
    try await world.stop()
  }

  @Test func `a node that retires while it asks gets no certificate, and is not made again`()
    async throws
  {
    let world = try await ExchangeWorld.start()
    let node = try await world.node()
    #expect(try await node.send("GET", ExchangePath.status).status == 200)
    let request = try CertificateRequest.pemText(for: P256.Signing.PrivateKey())
    let before = try await world.store.read { try await $0.certificates() }.count
    let asking = try await world.owner.transaction { connection in
      try await connection.script(RegistryStore.searchPath)
      try await connection.script("UPDATE node SET revoked_at = now()")
      let asking = Task {
        try await node.send(
          "POST", ExchangePath.certificates, request, type: ExchangePath.certificateRequest,
          key: "c")
      }
      try await eventually("a renewal that waits for the end of the node") {
        try await connection.query(
          """
          SELECT EXISTS (SELECT FROM pg_locks
                          WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))
          """
        ).only().bool(0)
      }
      return asking
    }
    #expect(try await asking.value.code == .certificateRefused)
    #expect(try await world.store.read { try await $0.nodes() }.isEmpty)
    #expect(try await world.store.read { try await $0.certificates() }.count == before)
    try await world.stop()
  }
}

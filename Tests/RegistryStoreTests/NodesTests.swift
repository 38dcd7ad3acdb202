import DeviceLists
import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// Certificates, and what nodes say of themselves.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct NodesTests {
  @Test func `the first certificate of a node makes it, and further ones are its own too`()
    async throws
  {
    try await withRegistry { registry in
      try await registry.addOperator("alfa", networks: [])
      let alfa = try #require(OperatorCode("alfa"))
      let eir = try #require(NodeName("eir-1"))
      let now = try await registry.now()
      #expect(try await registry.store.read { try await $0.node(operator: alfa, name: eir) } == nil)
      for (serial, holder) in [
        ("0a", CertificateHolder.node(alfa, eir)), ("0b", .node(alfa, eir)), ("c0", .ceir),
        ("c1", .signer),
      ] {
        try await issue(serial, holder, asOf: now, registry)
      }
      let found = try await registry.store.read { try await $0.node(operator: alfa, name: eir) }
      let node = try #require(found)
      #expect((node.name, node.operatorCode) == ("eir-1", alfa))
      #expect(try await registry.store.read { try await $0.nodes() } == [node])
      let records = try await registry.store.read { try await $0.certificates() }
      #expect(records.count == 4)
      let first = try #require(records.first { $0.serial == "0a" })
      #expect(first.holder == .node(alfa, eir))
      #expect((first.issuedBy, first.revokedAt) == ("anna", nil))
      #expect(first.notAfter == now.adding(seconds: 86_400))
    }
  }

  @Test func `a certificate that cannot be one is refused`() async throws {
    try await withRegistry { registry in
      let now = try await registry.now()
      let beta = try #require(OperatorCode("beta"))
      let eir = try #require(NodeName("eir-1"))
      try await issue("aa", .ceir, asOf: now, registry)
      for (serial, holder, until, code) in [
        ("", CertificateHolder.ceir, 1, StoreError.Code.unfit), ("AB", .ceir, 1, .unfit),
        (String(repeating: "a", count: 41), .ceir, 1, .unfit), ("ab", .ceir, 0, .unfit),
        ("aa", .signer, 1, .nameTaken), ("ab", .node(beta, eir), 1, .unknownOperator),
      ] as [(String, CertificateHolder, Int64, StoreError.Code)] {
        await registry.expectError(code) {
          try await $0.recordCertificate(
            serial: serial, holder: holder, notBefore: now, notAfter: now.adding(seconds: until),
            by: "anna")
        }
      }
    }
  }

  @Test func `a node retires once, and its name may be another's`() async throws {
    try await withNodes { registry, alfa, beta in
      let (code, name) = (alfa.operatorCode, try #require(NodeName(alfa.name)))
      let now = try await registry.now()
      try await issue("0a", .node(code, name), asOf: now, registry)
      func retire() async throws -> [String]? {
        try await registry.store.write {
          try await $0.retireNode(name, of: code, by: "anna", reason: "replaced")
        }
      }
      let heard = try await announcements(registry) {
        let ended = try await retire()
        #expect(ended == ["0a"])
      }
      #expect(heard == "0a")
      #expect(try await retire() == nil)
      #expect(try await registry.store.read { try await $0.nodes() } == [beta])
      #expect(try await registry.store.read { try await $0.nodePlans() }.map(\.node) == [beta])
      #expect(try await registry.store.read { try await $0.revokedSerials() } == ["0a"])
      func shown(_ withRetired: Bool) async throws -> [Bool] {
        try await registry.store.read {
          try await $0.operatorRecords(withRetired: withRetired)
            .first { $0.code == code }?.nodes.map { $0.retiredAt == nil } ?? []
        }
      }
      #expect(try await shown(false) == [])
      #expect(try await shown(true) == [false])
      try await issue("0b", .node(code, name), asOf: now, registry)
      #expect(try await shown(true) == [false, true])
      let another = try await registry.store.read { try await $0.node(operator: code, name: name) }
      #expect(another != nil && another != alfa)
      await registry.expectError(.unknownNode) {
        _ = try await $0.retireNode(
          try #require(NodeName("other")), of: code, by: "anna", reason: "x")
      }
    }
  }

  /// What has happened to the node or its certificate "0a" by the time a renewal is noted.
  @Test(
    arguments: [
      ("", nil),
      ("UPDATE certificate SET revoked_at = now(), revoked_by = 'a', revoke_reason = 'r'", "0a"),
      ("UPDATE certificate SET not_before = now() - interval '2 d', not_after = now()", "0a"),
      ("UPDATE node SET revoked_at = now()", "0a"), ("", "0b"), ("", "ff"),
    ] as [(String, String?)])
  func `only a node in force renews, by its own certificate in force`(
    before: String, refused: String?
  ) async throws {
    try await withNodes { registry, alfa, beta in
      let now = try await registry.now()
      for (serial, node) in [("0a", alfa), ("0b", beta)] {
        let name = try #require(NodeName(node.name))
        try await issue(serial, .node(node.operatorCode, name), asOf: now, registry)
      }
      try await registry.script(before)
      let renew: @Sendable (RegistryTransaction) async throws -> Void = {
        try await $0.recordRenewal(
          serial: "0c", of: alfa, by: refused ?? "0a", notBefore: now,
          notAfter: now.adding(seconds: 86_400))
      }
      if refused == nil {
        try await registry.store.write { try await renew($0) }
      } else {
        await registry.expectError(.certificateEnded) { try await renew($0) }
      }
      let wanted = refused == nil ? 1 : 0
      let certificates = "SELECT count(*) FROM certificate WHERE serial = '0c'"
      #expect(try await registry.number(certificates) == wanted)
      #expect(try await registry.number("SELECT count(*) FROM node") == 2, "no node is made")
    }
  }

  @Test func `a node that ends while it renews has no certificate left`() async throws {
    try await withNodes { registry, alfa, _ in
      let (code, name) = (alfa.operatorCode, try #require(NodeName(alfa.name)))
      let now = try await registry.now()
      for round in 0..<12 {
        let node = try await registry.node()
        let first = "a\(round)"
        try await issue(first, .node(code, name), asOf: now, registry)
        await withTaskGroup(of: Void.self) { group in
          for number in 0..<6 {
            group.addTask {
              _ = try? await registry.store.write {
                try await $0.recordRenewal(
                  serial: "b\(round)\(number)", of: node, by: first, notBefore: now,
                  notAfter: now.adding(seconds: 86_400))
              }
            }
          }
          group.addTask {
            _ = try? await registry.store.write {
              round % 2 == 0
                ? try await $0.retireNode(name, of: code, by: "anna", reason: "sold")
                : try await $0.revokeCertificates(
                  of: code, node: name, by: "anna", reason: "sold")
            }
          }
        }
        let left = "SELECT count(*) FROM certificate WHERE revoked_at IS NULL"
        #expect(try await registry.number(left) == 0, "round \(round)")
      }
    }
  }

  @Test func `a revoked certificate stays revoked, and is announced`() async throws {
    try await withNodes { registry, alfa, _ in
      let now = try await registry.now()
      let eir = try #require(NodeName("eir-1"))
      for serial in ["a1", "a2", "a3"] {
        try await issue(serial, .node(alfa.operatorCode, eir), asOf: now, registry)
      }
      try await issue("b1", .ceir, asOf: now, registry)
      let heard = try await announcements(registry) {
        try await registry.store.write {
          try await $0.revokeCertificate(serial: "a1", by: "anna", reason: "the key was copied")
        }
      }
      #expect(heard == "a1")
      try await registry.store.write {
        try await $0.revokeCertificate(serial: "a1", by: "bert", reason: "again")
      }
      await registry.expectError(.unknownCertificate) {
        try await $0.revokeCertificate(serial: "ff", by: "anna", reason: "")
      }
      let rest = try await registry.store.write {
        try await $0.revokeCertificates(
          of: alfa.operatorCode, node: eir, by: "anna", reason: "the machine was sold")
      }
      #expect(rest.sorted() == ["a2", "a3"])
      #expect(
        try await registry.store.read { try await $0.revokedSerials() } == ["a1", "a2", "a3"])
      let records = try await registry.store.read { try await $0.certificates() }
      let first = try #require(records.first { $0.serial == "a1" })
      #expect((first.revokedBy, first.revokeReason) == ("anna", "the key was copied"))
      try await registry.script(
        "UPDATE certificate SET not_before = now() - interval '2 days', not_after = now()")
      #expect(
        try await registry.store.read { try await $0.revokedSerials() }.isEmpty,
        "what has ended need not be refused")
    }
  }

  @Test func `what a node does not say stays as it was`() async throws {
    try await withNodes { registry, alfa, _ in
      let digest = ListDigest.zero
      let steps: [(NodeReport, UInt64?, Int?, DeliveryStyle?, Bool)] = [
        (NodeReport(instance: instance(1), serial: "a1"), nil, nil, nil, false),
        (
          NodeReport(
            standing: .init(epoch: Epoch(high: 1, low: 2), position: Position(7), digest: digest),
            held: 3, style: .push), 7, 3, .push, true
        ),
        (NodeReport(), 7, 3, .push, true),
        (NodeReport(held: 0), 7, 0, .push, true),
        (
          NodeReport(standing: .init(epoch: Epoch(high: 1, low: 3), position: Position(2))), 2, 0,
          .push, false
        ),
      ]
      for (report, position, held, style, hasDigest) in steps {
        let notice = try await registry.store.write {
          try await $0.report(of: alfa, report)
        }
        #expect(notice == nil)
        let record = try #require(try await nodeRecord(registry))
        #expect(record.position?.number == position)
        #expect((record.held, record.style) == (held, style))
        #expect((record.digest != nil) == hasDigest)
        #expect(record.seenAt != nil)
      }
    }
  }

  @Test func `what came before the last word does not move a node back`() async throws {
    try await withNodes { registry, alfa, _ in
      let epoch = Epoch(high: 1, low: 2)
      _ = try await registry.store.write {
        try await $0.acknowledge(
          of: alfa, epoch: epoch, position: Position(7), digest: .zero, held: 0)
      }
      for (position, age, expected, hasDigest) in [
        (5, 2, 7, true), (7, 2, 7, true), (5, 0, 5, false), (9, 2, 9, false),
      ] as [(UInt64, Int, UInt64, Bool)] {
        try await registry.store.write {
          try await $0.report(
            of: alfa,
            NodeReport(
              standing: .init(epoch: epoch, position: Position(position)),
              cameAt: .now - .seconds(age)))
        }
        let record = try #require(try await nodeRecord(registry))
        #expect(record.position == Position(expected), "\(position), \(age) s ago")
        #expect((record.digest != nil) == hasDigest)
      }
    }
  }

  /// Machines in the order in which they speak, by which certificate, and whether two are noticed.
  @Test(
    arguments: [
      ([(1, "a")], nil), ([(1, "a"), (2, "a")], nil), ([(1, "a"), (2, "a"), (3, "a")], nil),
      ([(1, "a"), (2, "b"), (2, "b"), (1, "a")], false), ([(1, "a"), (2, "a"), (1, "a")], true),
      ([(1, "a"), (2, "a"), (1, "a"), (1, "a")], true),
    ] as [([(UInt8, String)], Bool?)])
  func `two machines under one name are noticed when the first comes back`(
    calls: [(UInt8, String)], shared: Bool?
  ) async throws {
    try await withNodes { registry, alfa, _ in
      var notice: TwoMachines?
      for (machine, serial) in calls {
        notice = try await registry.store.write {
          try await $0.report(
            of: alfa, NodeReport(instance: instance(machine), serial: serial))
        }
      }
      #expect(notice?.shareCertificate == shared)
      #expect(try await nodeRecord(registry)?.twoMachines == notice)
    }
  }

  @Test func `a machine that comes back after more than a day has replaced the other`()
    async throws
  {
    try await withNodes { registry, alfa, _ in
      for machine in [UInt8(1), 2] {
        try await registry.store.write {
          try await $0.report(of: alfa, NodeReport(instance: instance(machine)))
        }
      }
      try await registry.script(
        "UPDATE node_report SET former_seen_at = former_seen_at - interval '25 hours'")
      let notice = try await registry.store.write {
        try await $0.report(of: alfa, NodeReport(instance: instance(1)))
      }
      #expect(notice == nil)
    }
  }

  @Test func `an acknowledgement is compared with the journal`() async throws {
    try await withNodes { registry, alfa, _ in
      try await registry.script(
        """
        INSERT INTO journal_batch (last_position, first_position, epoch, as_of)
        SELECT 3, 1, epoch, now() FROM epoch;
        INSERT INTO journal_digest (scope, last_position, digest)
        VALUES (0, 3, decode('01' || repeat('00', 31), 'hex')),
               (1, 3, decode('02' || repeat('00', 31), 'hex')),
               (2, 3, decode('04' || repeat('00', 31), 'hex'))
        """)
      for (low, position, byte, outcome) in [
        (2, 3, 3, .agrees), (2, 3, 4, .differs), (2, 0, 0, .agrees), (2, 4, 3, .elsewhere),
        (9, 3, 3, .elsewhere),
      ] as [(UInt64, UInt64, UInt8, ListComparison)] {
        let digest = ([byte] + Array(repeating: 0, count: 31)).withUnsafeBytes {
          ListDigest(littleEndian: $0)
        }
        let found = try await registry.store.write {
          try await $0.acknowledge(
            of: alfa, epoch: Epoch(high: 1, low: low), position: Position(position),
            digest: digest, held: 5)
        }
        #expect(found == outcome)
        let record = try #require(try await nodeRecord(registry))
        #expect((record.position, record.digest, record.held) == (Position(position), digest, 5))
      }
    }
  }

  private func instance(_ machine: UInt8) -> String {
    String(repeating: "0", count: 30) + (machine < 16 ? "0" : "") + String(machine, radix: 16)
  }

  private func nodeRecord(_ registry: TestRegistry) async throws -> NodeRecord? {
    try await registry.store.read { try await $0.operatorRecords() }.first?.nodes.first
  }

  private func issue(
    _ serial: String, _ holder: CertificateHolder, asOf now: Instant, _ registry: TestRegistry
  ) async throws {
    try await registry.store.write {
      try await $0.recordCertificate(
        serial: serial, holder: holder, notBefore: now, notAfter: now.adding(seconds: 86_400),
        by: "anna")
    }
  }

  /// The first announcement of a certificate while `body` runs.
  private func announcements(
    _ registry: TestRegistry, _ body: () async throws -> Void
  ) async throws -> String? {
    let listener = PostgreSQLListener(
      registry.database.configuration(), channels: [RegistryTransaction.certificateChannel])
    var events = listener.events.makeAsyncIterator()
    _ = await events.next()
    try await body()
    var heard: String?
    while heard == nil, let event = await events.next() {
      if case .notification(channel: _, let payload) = event { heard = payload }
    }
    await listener.close()
    return heard
  }
}

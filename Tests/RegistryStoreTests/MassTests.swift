import DeviceIdentity
import DeviceLists
import RegistryStore
import Simulation
import Testing

/// Mass changes, and the two people who approve them.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct MassTests {
  /// Devices 1–3 are black already when devices 2–9 are imported; the journal has their changes at
  /// 11–18, those of 2 and 3 (another code) among them, then an unblock and a block of device 9.
  private func withRun(
    _ body: (TestRegistry, _ run: Int64) async throws -> Void
  ) async throws {
    try await withRegistry { registry in
      for serial in UInt64(1)...3 {
        try await registry.store.write {
          _ = try await $0.block(
            imei(serial), with: NewGround(on: .imei(imei(serial)), code: .lost, source: "court"),
            by: "anna")
        }
      }
      try await publish(serials: 1...3, from: 8, registry)
      let run = try await importStolen(2...9, registry)
      try await publish(serials: 2...9, from: 11, registry)
      try await publish(serials: 9...9, from: 19, status: "NULL", registry)
      try await publish(serials: 9...9, from: 20, registry)
      for (name, role, byte) in [
        ("anna", StaffRole.approver, 1), ("bert", .approver, 2), ("cleo", .officer, 3),
        ("dora", .approver, 4),
      ] as [(String, StaffRole, UInt8)] {
        try await registry.store.write {
          try await $0.addToken(named: name, role: role, hash: hash(byte), expiresAt: nil)
        }
      }
      try await body(registry, run)
    }
  }

  @Test func `a run is what the journal shows that it made black`() async throws {
    try await withRun { registry, number in
      let run = try #require(try await runs(registry).first)
      #expect((run.run, run.source, run.fileName) == (number, "police", "reports.csv"))
      #expect((run.after, run.upTo, run.blacks) == (Position(12), Position(18), 6))
      #expect((run.isPublished, run.isMarked, run.approvals) == (true, false, []))
    }
  }

  @Test func `two people of role approver make a mark`() async throws {
    try await withRun { registry, number in
      let first = try await approve(number, 1, registry)
      #expect((first.approvals, first.isMarked) == (["anna"], false))
      #expect(try await marks(registry).isEmpty)
      let second = try await approve(number, 2, registry)
      #expect((second.approvals, second.isMarked) == (["anna", "bert"], true))
      let mark = try #require(try await marks(registry).first)
      #expect((mark.run, mark.after, mark.upTo) == (number, Position(12), Position(18)))
      #expect(mark.blacks == 6)
      let ranges: [(UInt64, UInt64, Bool)] = [
        (0, 12, false), (0, 13, true), (17, 99, true), (18, 99, false),
      ]
      for (after, upTo, isThere) in ranges {
        let found = try await registry.store.read {
          try await $0.massMarks(after: Position(after), upTo: Position(upTo))
        }
        #expect(found == (isThere ? [mark] : []), "after \(after) up to \(upTo)")
      }
      #expect(try await runs(registry) == [second])
      await registry.expectError(.approvedAlready) {
        _ = try await $0.approve(run: number, tokenHash: hash(4))
      }
    }
  }

  @Test func `an officer, a stranger and the same person twice approve nothing`() async throws {
    try await withRun { registry, number in
      for byte in [UInt8(3), 9] {
        await registry.expectError(.noApprover) {
          _ = try await $0.approve(run: number, tokenHash: hash(byte))
        }
      }
      await registry.expectError(.unknownRun) {
        _ = try await $0.approve(run: number + 1, tokenHash: hash(1))
      }
      _ = try await approve(number, 1, registry)
      await registry.expectError(.approvedAlready) {
        _ = try await $0.approve(run: number, tokenHash: hash(1))
      }
      // The same person with a new token: the approval by the old one no longer counts.
      try await registry.store.write {
        try await $0.revokeToken(named: "anna")
        try await $0.addToken(named: "anna", role: .approver, hash: hash(7), expiresAt: nil)
      }
      let again = try await approve(number, 7, registry)
      #expect((again.approvals, again.isMarked) == (["anna"], false))
      await registry.expectError(.approvedAlready) {
        _ = try await $0.approve(run: number, tokenHash: hash(7))
      }
      #expect(try await marks(registry).isEmpty)
    }
  }

  @Test(
    arguments: [
      "UPDATE api_token SET revoked_at = now() WHERE name = 'anna'",
      "UPDATE api_token SET expires_at = now() WHERE name = 'anna'",
    ])
  func `an approver whose token has ended does not count`(end: String) async throws {
    try await withRun { registry, number in
      _ = try await approve(number, 1, registry)
      try await registry.script(end)
      let second = try await approve(number, 2, registry)
      #expect((second.approvals, second.isMarked) == (["bert"], false))
      #expect(try await marks(registry).isEmpty)
      let third = try await approve(number, 4, registry)
      #expect((third.approvals, third.isMarked) == (["bert", "dora"], true))
      try await registry.script("UPDATE api_token SET revoked_at = now() WHERE name = 'bert'")
      #expect(try await runs(registry).first?.approvals == ["bert", "dora"], "it counted then")
    }
  }

  @Test func `one token at once from many sides counts once`() async throws {
    try await withRun { registry, number in
      let approvals = await withTaskGroup(of: Bool.self) { group in
        for _ in 0..<8 {
          group.addTask { (try? await approve(number, 1, registry)) != nil }
        }
        return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(approvals == 1)
      let before = try await marks(registry)
      #expect(before.isEmpty)
      await withTaskGroup(of: Void.self) { group in
        for byte in [UInt8(2), 4] {
          group.addTask { _ = try? await approve(number, byte, registry) }
        }
      }
      #expect(try await marks(registry).count == 1)
      #expect(try await registry.number("SELECT count(*) FROM mass_approval") == 2)
    }
  }

  @Test func `a run that is still being published waits`() async throws {
    try await withRun { registry, _ in
      let next = try await importStolen(20...29, registry)
      #expect(try await runs(registry).map(\.isPublished) == [false, true])
      await registry.expectError(.notPublished) {
        _ = try await $0.approve(run: next, tokenHash: hash(1))
      }
      let again = try await importStolen(2...3, registry, name: "again.csv")
      try await publish(serials: 20...29, from: 21, registry)
      await registry.expectError(.unfit) {
        _ = try await $0.approve(run: again, tokenHash: hash(1))
      }
    }
  }

  /// Devices that lie between two changes of a run, how they came there, and whether it is refused.
  @Test(
    arguments: [
      ("nobody", 0, false), ("officer", 100, false), ("officer", 101, true), ("import", 1, true),
      ("marked import", 1, false), ("black before", 101, false),
    ])
  func `a run is not approved around what nobody has approved`(
    how: String, count: Int, isRefused: Bool
  ) async throws {
    try await withRun { registry, _ in
      let run = try await importStolen(100...101, registry)
      if how == "black before" {
        try await publish(serials: 200...199 + count, from: 21, registry)
      }
      var other: Int64?
      if how.hasSuffix("import") {
        other = try await importStolen(200...200, registry, name: "other.csv")
      }
      try await publish(serials: 100...100, from: 500, registry)
      if count > 0 {
        try await publish(serials: 200...199 + count, from: 501, registry)
      }
      try await publish(serials: 101...101, from: 501 + count, registry)
      if how == "marked import", let other {
        for token in [UInt8(1), 2] { _ = try await approve(other, token, registry) }
      }
      if isRefused {
        let error = await registry.expectError(.unfit) {
          _ = try await $0.approve(run: run, tokenHash: hash(1))
        }
        #expect(error?.description.contains("nobody has approved") == true)
      } else {
        #expect(try await approve(run, 1, registry).approvals == ["anna"])
      }
    }
  }

  @Test func `a checkpoint carries the newest marks, in the order of their runs`() async throws {
    try await withRun { registry, number in
      try await registry.script(
        """
        INSERT INTO import (kind, file_name, sha256, source, form, rows_read, rows_kept,
                            rows_repeated, rows_refused, imported_by)
        SELECT 'stolen', n::text, decode(repeat('00', 32), 'hex'), 's', '', 1, 1, 0, 0, 'anna'
          FROM generate_series(1, 20) n;
        INSERT INTO mass_mark (import_id, after_position, up_to_position, blacks, marked_at)
        SELECT import_id, import_id, import_id + 1, 1,
               now() - interval '1 day' - import_id * interval '1 minute'
          FROM import WHERE import_id <> \(number)
        """)
      let found = try await marks(registry)
      #expect(found.map(\.run) == Array(number + 1...number + 16))
      let recent = try await registry.store.read { try await $0.massMarks(youngerThan: 86_400) }
      #expect(recent.isEmpty)
    }
  }

  private func runs(_ registry: TestRegistry) async throws -> [MassRun] {
    try await registry.store.read { try await $0.massRuns() }
  }

  private func marks(_ registry: TestRegistry) async throws -> [MassMarkRecord] {
    try await registry.store.read { try await $0.massMarks(youngerThan: 90 * 86_400) }
  }

  private func approve(
    _ run: Int64, _ token: UInt8, _ registry: TestRegistry
  ) async throws -> MassRun {
    try await registry.store.write { try await $0.approve(run: run, tokenHash: hash(token)) }
  }

  private func importStolen(
    _ serials: ClosedRange<UInt64>, _ registry: TestRegistry, name: String = "reports.csv"
  ) async throws -> Int64 {
    try await registry.store.write {
      var rest = Array(serials)[...]
      return try await $0.importStolen(
        by: "anna",
        next: {
          rest.popFirst().map {
            StolenRow(imei: imei($0), code: .stolen, caseReference: "", reported: nil)
          }
        },
        file: {
          ImportedFile(
            kind: .stolen, fileName: name, sha256: hash(UInt8(serials.upperBound)),
            source: "police", rowsRead: serials.count, rowsKept: serials.count, rowsRepeated: 0,
            rowsRefused: 0)
        })
    }.importNumber
  }

  /// What the publisher writes for these devices, one position each; the queue is empty then.
  private func publish(
    serials: ClosedRange<Int>, from position: Int, status: String = "1", _ registry: TestRegistry
  ) async throws {
    try await registry.script(
      """
      INSERT INTO journal (position, subject_kind, subject_key1, subject_key2, scope, status,
                           ground_codes, overridable)
      SELECT \(position) + n - \(serials.lowerBound), 1, 35000000000000 + n, 0, 0, \(status),
             '{stolen}', false
        FROM generate_series(\(serials.lowerBound), \(serials.upperBound)) n;
      INSERT INTO journal_batch (last_position, first_position, epoch, as_of)
      SELECT \(position + serials.count - 1), \(position), epoch, now() FROM epoch;
      DELETE FROM dirty
      """)
  }
}

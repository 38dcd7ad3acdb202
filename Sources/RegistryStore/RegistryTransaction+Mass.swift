package import DeviceLists
import PostgreSQL

/// An import as a mass change of the lists.
package struct MassRun: Sendable, Hashable {
  package let run: Int64
  package let source: String
  package let fileName: String
  package let importedAt: Instant
  package let importedBy: String
  /// Devices that it has made black, as far as the journal still tells.
  package let blacks: Int
  /// Its changes lie after the first position, up to the second; equal where there are none.
  package let after: Position
  package let upTo: Position
  /// Whether all of its changes are in the journal.
  package let isPublished: Bool
  /// Names of the tokens that have approved it and are in force; of a marked one, were then.
  package let approvals: [String]
  package let isMarked: Bool
}

/// The mark of a mass change that two have approved: nodes let its changes pass their brake.
package struct MassMarkRecord: Sendable, Hashable {
  package let run: Int64
  package let after: Position
  package let upTo: Position
  package let blacks: Int
  package let markedAt: Instant
}

extension RegistryTransaction {
  /// The channel on which a new mark is announced. A hint only.
  package static let massChannel = "ceir_mass"
  /// Tokens of different people that approve a mass change.
  package static let approversNeeded = 2
  /// Marks that a checkpoint carries.
  package static let mostMassMarks = 16
  /// Blocks one by one that may lie between the changes of a run. Every day brings some; these are
  /// too few for a brake.
  static let mostBlocksBetween = 100
  static let mostListedRuns = 20
  /// How far back runs are listed and can be approved.
  static let oldestRunDays = 30

  /// The newest runs of the last 30 days, the newest first.
  package func massRuns() async throws -> [MassRun] {
    try await massRuns(nil, limit: Self.mostListedRuns)
  }

  private func massRuns(_ number: Int64?, limit: Int) async throws -> [MassRun] {
    let rows = try await connection.query(Self.massRuns, number, Self.oldestRunDays, limit)
    var runs: [MassRun] = []
    for row in rows {
      if try row.bool("is_marked") {
        runs.append(try row.massRun(found: row, isPublished: true))
      } else {
        let found = try await connection.query(
          Self.changesOfRun, try row.int64("import_id"), try row.int64("journal_before")
        ).only()
        runs.append(try row.massRun(found: found, isPublished: try found.bool("is_published")))
      }
    }
    return runs
  }

  /// Notes that the owner of the token approves; the second approval marks the run. Only those
  /// count whose tokens are in force when it is given.
  ///
  /// Throws ``StoreError/Code/noApprover`` for a token that is not in force or of another role,
  /// ``StoreError/Code/approvedAlready`` for one that has approved before or whose owner has,
  /// ``StoreError/Code/notPublished`` while changes are still to come, and
  /// ``StoreError/Code/unfit`` where the mark would let pass what nobody has approved.
  package func approve(run number: Int64, tokenHash: [UInt8]) async throws -> MassRun {
    try await lockApprovals()
    let approvers = try await connection.query(Self.approver, PostgreSQLBytes(tokenHash))
    guard let approver = approvers.first else {
      throw StoreError(.noApprover, "The token is not one in force of role approver.")
    }
    let run = try await massRun(number)
    try Self.check(run, approvedBy: try approver.string("name"))
    try await requireNothingBetween(run)
    let added = try await connection.query(
      Self.insertApproval, number, try approver.int32("token_id"))
    guard !added.isEmpty else { throw Self.approvedAlready }
    if run.approvals.count + 1 >= Self.approversNeeded {
      try await connection.query(
        Self.insertMark, number, run.after.column, run.upTo.column, run.blacks)
      try await connection.query("SELECT pg_notify($1, $2)", Self.massChannel, String(number))
    }
    return try await massRun(number)
  }

  /// The newest marks that are younger, in the order of their runs.
  package func massMarks(youngerThan seconds: Int64) async throws -> [MassMarkRecord] {
    try await connection.query(Self.massMarks, seconds, Self.mostMassMarks)
      .map { try $0.massMark() }.sorted { $0.run < $1.run }
  }

  /// The newest marks of changes after `after`, up to `upTo`, in the order of their runs.
  package func massMarks(
    after: Position, upTo: Position
  ) async throws -> [MassMarkRecord] {
    try await connection.query(
      Self.massMarksBetween, after.column, upTo.column, Self.mostMassMarks
    ).map { try $0.massMark() }.sorted { $0.run < $1.run }
  }

  private func massRun(_ number: Int64) async throws -> MassRun {
    guard let run = try await massRuns(number, limit: 1).first else {
      throw StoreError(
        .unknownRun,
        "There is no mass change \(number) of the last \(Self.oldestRunDays) days: see "
          + "`ceir mass list`.")
    }
    return run
  }

  private static func check(_ run: MassRun, approvedBy name: String) throws {
    guard !run.isMarked else {
      throw StoreError(.approvedAlready, "The mass change \(run.run) is approved already.")
    }
    guard !run.approvals.contains(name) else { throw approvedAlready }
    guard run.isPublished else {
      throw StoreError(
        .notPublished, "Changes of run \(run.run) are still to be published: try again later.")
    }
    guard run.blacks > 0 else {
      throw StoreError(.unfit, "Run \(run.run) has made no device black: it needs no approval.")
    }
  }

  /// A mark covers all between the first change of the run and its last.
  private func requireNothingBetween(_ run: MassRun) async throws {
    let found = try await connection.query(
      Self.blacksBetween, run.run, run.after.column, run.upTo.column
    ).only()
    let (imported, single) = (try found.int("imported"), try found.int("single"))
    guard imported > 0 || single > Self.mostBlocksBetween else { return }
    throw StoreError(
      .unfit,
      "Between the changes of run \(run.run) lie devices that nobody has approved (\(imported) of "
        + "other imports, \(single) blocked one by one): it cannot be approved for all nodes.")
  }

  private static var approvedAlready: StoreError {
    StoreError(
      .approvedAlready, "This person has approved it already: a second one is needed.")
  }
}

extension PostgreSQLRow {
  fileprivate func massMark() throws -> MassMarkRecord {
    MassMarkRecord(
      run: try int64("import_id"), after: Position(UInt64(try int64("after_position"))),
      upTo: Position(UInt64(try int64("up_to_position"))), blacks: try int("blacks"),
      markedAt: try instant("marked_at"))
  }

  /// `found` has the columns blacks, after_position and up_to_position.
  fileprivate func massRun(found: PostgreSQLRow, isPublished: Bool) throws -> MassRun {
    MassRun(
      run: try int64("import_id"), source: try string("source"),
      fileName: try string("file_name"), importedAt: try instant("imported_at"),
      importedBy: try string("imported_by"), blacks: try found.int("blacks"),
      after: Position(UInt64(try found.int64("after_position"))),
      upTo: Position(UInt64(try found.int64("up_to_position"))), isPublished: isPublished,
      approvals: try strings("approvals"), isMarked: try bool("is_marked"))
  }
}

extension RegistryTransaction {
  /// Served by the primary keys of import, mass_mark and mass_approval.
  private static let massRuns = """
    SELECT i.import_id, i.source, i.file_name, i.imported_at, i.imported_by,
           i.after_position AS journal_before, m.after_position, m.up_to_position, m.blacks,
           m.import_id IS NOT NULL AS is_marked,
           ARRAY(SELECT t.name
                   FROM mass_approval a
                   JOIN api_token t USING (token_id)
                  WHERE a.import_id = i.import_id
                    AND (t.revoked_at IS NULL
                         OR t.revoked_at > COALESCE(m.marked_at, clock_timestamp()))
                    AND (t.expires_at IS NULL
                         OR t.expires_at > COALESCE(m.marked_at, clock_timestamp()))
                  ORDER BY a.approved_at) AS approvals
      FROM import i
      LEFT JOIN mass_mark m USING (import_id)
     WHERE i.kind = 'stolen'
       AND i.imported_at > now() - make_interval(days => $2::integer)
       AND ($1::bigint IS NULL OR i.import_id = $1)
     ORDER BY i.import_id DESC
     LIMIT $3
    """

  /// The first black of each subject after the import, as the journal has it; without those that
  /// were black on another ground already. `IS TRUE` keeps the run's subjects in a hash table that
  /// journal and queue are read against once: as a join, the planner might read them once for each
  /// subject. Served by the primary key of journal, ground_import and ground_subject.
  private static let changesOfRun = """
    SELECT count(*) AS blacks, COALESCE(min(position) - 1, $2) AS after_position,
           COALESCE(max(position), $2) AS up_to_position,
           NOT EXISTS (
             SELECT FROM dirty d
              WHERE ((d.subject_kind, d.subject_key1, d.subject_key2, d.scope) IN (
                      SELECT g.subject_kind, g.subject_key1, g.subject_key2, g.scope
                        FROM ground g
                       WHERE g.import_id = $1)) IS TRUE) AS is_published
      FROM (SELECT min(j.position) AS position
              FROM journal j
             WHERE j.position > $2
               AND j.status = 1
               AND ((j.subject_kind, j.subject_key1, j.subject_key2, j.scope) IN (
                     SELECT g.subject_kind, g.subject_key1, g.subject_key2, g.scope
                       FROM ground g
                      WHERE g.import_id = $1
                        AND NOT EXISTS (
                              SELECT FROM ground o
                               WHERE o.subject_kind = g.subject_kind
                                 AND o.subject_key1 = g.subject_key1
                                 AND o.subject_key2 = g.subject_key2
                                 AND o.scope = g.scope
                                 AND o.ground_id < g.ground_id
                                 AND o.status = 1
                                 AND o.started_at <= g.recorded_at
                                 AND (o.ended_at IS NULL OR o.ended_at > g.recorded_at)))) IS TRUE
             GROUP BY j.subject_kind, j.subject_key1, j.subject_key2, j.scope) change
    """

  /// What has become black from $2 to $3, not by the run and not under another mark. The journal is
  /// read once, by its primary key; the grounds by ground_import and ground_subject.
  private static let blacksBetween = """
    WITH enclosed AS (
      SELECT DISTINCT j.subject_kind, j.subject_key1, j.subject_key2, j.scope
        FROM journal j
       WHERE j.position > $2
         AND j.position <= $3
         AND j.status = 1
         AND NOT EXISTS (SELECT
                           FROM mass_mark m
                          WHERE j.position > m.after_position
                            AND j.position <= m.up_to_position)
         AND ((j.subject_kind, j.subject_key1, j.subject_key2, j.scope) IN (
               SELECT g.subject_kind, g.subject_key1, g.subject_key2, g.scope
                 FROM ground g
                WHERE g.import_id = $1)) IS NOT TRUE
    ), former AS (
      SELECT DISTINCT ON (subject_kind, subject_key1, subject_key2, scope)
             subject_kind, subject_key1, subject_key2, scope, status
        FROM journal
       WHERE position <= $2
         AND ((subject_kind, subject_key1, subject_key2, scope) IN (
               SELECT subject_kind, subject_key1, subject_key2, scope FROM enclosed)) IS TRUE
       ORDER BY subject_kind, subject_key1, subject_key2, scope, position DESC
    ), news AS (
      SELECT EXISTS (SELECT
                       FROM ground g
                      WHERE g.subject_kind = e.subject_kind
                        AND g.subject_key1 = e.subject_key1
                        AND g.subject_key2 = e.subject_key2
                        AND g.scope = e.scope
                        AND g.status = 1
                        AND g.import_id IS NOT NULL
                        AND g.ended_at IS NULL) AS is_imported
        FROM enclosed e
        LEFT JOIN former f USING (subject_kind, subject_key1, subject_key2, scope)
       WHERE f.status IS DISTINCT FROM 1
    )
    SELECT count(*) FILTER (WHERE is_imported) AS imported,
           count(*) FILTER (WHERE NOT is_imported) AS single
      FROM news
    """

  /// Served by api_token_token_hash_key.
  private static let approver = """
    SELECT token_id, name
      FROM api_token
     WHERE token_hash = $1
       AND role = 'approver'
       AND revoked_at IS NULL
       AND (expires_at IS NULL OR expires_at > now())
    """

  private static let insertApproval = """
    INSERT INTO mass_approval (import_id, token_id) VALUES ($1, $2)
        ON CONFLICT (import_id, token_id) DO NOTHING
    RETURNING token_id
    """

  private static let insertMark = """
    INSERT INTO mass_mark (import_id, after_position, up_to_position, blacks)
    VALUES ($1, $2, $3, $4)
    """

  private static let massMarks = """
    SELECT import_id, after_position, up_to_position, blacks, marked_at
      FROM mass_mark
     WHERE marked_at > now() - make_interval(secs => $1)
     ORDER BY marked_at DESC
     LIMIT $2
    """

  /// A table of few rows: each is the decision of two people.
  private static let massMarksBetween = """
    SELECT import_id, after_position, up_to_position, blacks, marked_at
      FROM mass_mark
     WHERE up_to_position > $1
       AND after_position < $2
     ORDER BY marked_at DESC
     LIMIT $3
    """
}

import DeviceIdentity
import DeviceLists
import PostgreSQL

extension RegistryTransaction {
  /// The operator whose network the IMSI carries; 0, all, where none here has it.
  func scope(of imsi: IMSI) async throws -> Int32 {
    try await connection.query(Self.operatorOfIMSI, imsi.digits).first?.int32("operator_id") ?? 0
  }

  /// Brings the grounds of the network's pairings to the scope that is theirs now. Each ends and
  /// begins anew under the other scope: two rows of the journal.
  func rescopePairings(of network: PLMN, by actor: String) async throws {
    let marks = try await connection.execute(
      Self.rescopePairings, network.description, actor, DirtyPriority.mass.rawValue)
    guard marks > 0 else { return }
    try await connection.query("SELECT pg_notify($1, '')", Self.dirtyChannel)
  }

  /// Of two networks, 00101 and 001012, the longer is meant. Served by operator_plmn_current.
  private static let operatorOfIMSI = """
    SELECT n.operator_id
      FROM operator_plmn n
      JOIN operator o USING (operator_id)
     WHERE n.plmn IN (left($1, 5), left($1, 6))
       AND n.until IS NULL
       AND o.retired_at IS NULL
     ORDER BY length(n.plmn) DESC
     LIMIT 1
    """

  /// Every pairing is looked at: a network changes hands once in years. Served by ground_subject
  /// and operator_plmn_current.
  private static let rescopePairings = """
    WITH pairing AS MATERIALIZED (
      SELECT g.ground_id, g.ended_at, COALESCE(owner.operator_id, 0) AS scope
        FROM ground g
       CROSS JOIN LATERAL (
               SELECT lpad((g.subject_key2 % 1000000000000000)::text,
                           (g.subject_key2 / 1000000000000000)::integer, '0')) imsi (digits)
        LEFT JOIN LATERAL (
               SELECT n.operator_id
                 FROM operator_plmn n
                 JOIN operator o USING (operator_id)
                WHERE n.plmn IN (left(imsi.digits, 5), left(imsi.digits, 6))
                  AND n.until IS NULL
                  AND o.retired_at IS NULL
                ORDER BY length(n.plmn) DESC
                LIMIT 1) owner ON true
       WHERE g.subject_kind = 4
         AND (g.ended_at IS NULL OR g.ended_at > statement_timestamp())
         AND starts_with(imsi.digits, $1)
         AND g.scope <> COALESCE(owner.operator_id, 0)
    ), ended AS (
      UPDATE ground g
         SET ended_at = statement_timestamp(), end_recorded_at = statement_timestamp(),
             end_recorded_by = $2,
             end_reason = 'the network of the subscriber has another operator'
        FROM pairing p
       WHERE g.ground_id = p.ground_id
         AND (g.ended_at IS NULL OR (g.ended_at > statement_timestamp() AND g.end_reason IS NULL))
      RETURNING g.subject_key1, g.subject_key2, g.scope AS old_scope, p.scope AS new_scope, g.code,
                g.status, g.overridable, g.source, g.case_reference, g.reason, g.device_id,
                g.import_id, g.started_at, p.ended_at
    ), begun AS (
      INSERT INTO ground (subject_kind, subject_key1, subject_key2, scope, code, status,
                          overridable, source, case_reference, reason, device_id, import_id,
                          started_at, ended_at, end_recorded_at, recorded_by, end_recorded_by)
      SELECT 4, subject_key1, subject_key2, new_scope, code, status, overridable, source,
             case_reference, reason, device_id, import_id, started_at, ended_at,
             CASE WHEN ended_at IS NULL THEN NULL ELSE statement_timestamp() END, $2,
             CASE WHEN ended_at IS NULL THEN NULL ELSE $2 END
        FROM ended
    )
    INSERT INTO dirty (subject_kind, subject_key1, subject_key2, scope, priority)
    SELECT DISTINCT 4, subject_key1, subject_key2, scope.number, $3::smallint
      FROM ended
     CROSS JOIN LATERAL (VALUES (old_scope), (new_scope)) AS scope (number)
    """
}

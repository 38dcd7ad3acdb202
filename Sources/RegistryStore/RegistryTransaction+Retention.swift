package import DeviceLists
import PostgreSQL

/// What is kept only for a time. Each call is one bounded step and returns how many rows went: a
/// caller goes on while it is not zero.
extension RegistryTransaction {
  /// Rows that go in one step.
  package static let retentionStep: Int32 = 100_000

  /// Shortens the journal by its oldest batches, if they are older than `days`, never beyond what
  /// the caller still needs. Before its new beginning ``delta(of:after:limit:)`` gives nil.
  package func trimJournal(days: Int, notBeyond position: Position) async throws -> Int {
    try await erase(
      "SELECT trim_journal($1, $2, $3)", Int32(clamping: days), position.column,
      Int64(Self.retentionStep))
  }

  /// Messages older than 7 days: their keys may then be used again.
  package func eraseMessages() async throws -> Int {
    try await erase("SELECT erase_messages($1)", Self.retentionStep)
  }

  /// Queries and their answers, 24 hours old.
  package func eraseQueries() async throws -> Int {
    try await erase("SELECT erase_queries($1)", Self.retentionStep)
  }

  package func eraseSightings(days: Int) async throws -> Int {
    try await erase("SELECT erase_sightings($1, $2)", Int32(clamping: days), Self.retentionStep)
  }

  /// The oldest month of sightings, if it is older than the settings of the rules say: who used
  /// which device goes, that it was seen stays.
  package func eraseMonth() async throws -> Int {
    try await connection.query(Self.eraseOldestMonth).only().int(0)
  }

  /// Six months where nobody has set anything, as RuleSettings has it.
  private static let eraseOldestMonth = """
    SELECT erase_sighting_month(
             COALESCE((SELECT (document::jsonb ->> 'retentionMonths')::integer
                         FROM rule_settings ORDER BY version DESC LIMIT 1), 6))
    """

  /// The subscribers of decided requests; the requests themselves stay.
  package func eraseSubscribers(days: Int) async throws -> Int {
    try await erase("SELECT erase_subscribers($1, $2)", Int32(clamping: days), Self.retentionStep)
  }

  private func erase(_ sql: String, _ parameters: any PostgreSQLParameter...) async throws -> Int {
    try await connection.query(
      PostgreSQLStatement(sql, parameters: parameters)
    ).only().int(0)
  }
}

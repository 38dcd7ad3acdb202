import DeviceIdentity
import DeviceLists
import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// All grounds, releases and marks of a registry, a line each, for comparison as a whole.
struct RegistryState: Equatable, CustomStringConvertible {
  var grounds: [String] = []
  var releases: [String] = []
  var dirty: [String] = []

  var description: String {
    (["grounds:"] + grounds + ["releases:"] + releases + ["dirty:"] + dirty)
      .joined(separator: "\n")
  }

  /// Waits for nobody: what is committed now. Times are shown as what they mean at this moment.
  init(of registry: TestRegistry) async throws {
    self = try await registry.owner.withConnection { connection in
      try await connection.script(RegistryStore.searchPath)
      var state = RegistryState()
      state.grounds = try await connection.query(Self.grounds).map { try $0.string("line") }
      state.releases = try await connection.query(Self.releases).map { try $0.string("line") }
      state.dirty = try await connection.query(Self.dirty).map { try $0.string("line") }
      return state
    }
  }

  init(grounds: [String] = [], releases: [String] = [], dirty: [String] = []) {
    self.grounds = grounds
    self.releases = releases
    self.dirty = dirty
  }

  /// Kind, keys, scope, code, status, source, and when it is in force.
  private static let grounds = """
    SELECT format('%s %s/%s @%s %s %s by %s, %s', subject_kind, subject_key1, subject_key2, scope,
                  code, status, source,
                  CASE WHEN ended_at <= clock_timestamp() THEN 'ended'
                       WHEN started_at > clock_timestamp() THEN 'to come'
                       WHEN ended_at IS NOT NULL THEN 'for a time' ELSE 'in force' END) AS line
      FROM ground
     ORDER BY ground_id
    """

  private static let releases = """
    SELECT format('%s %s/%s @%s %s%s, %s', subject_kind, subject_key1, subject_key2, scope,
                  array_to_string(codes, '+'), CASE WHEN lifts_wider THEN ' and wider' END,
                  CASE WHEN ended_at <= clock_timestamp() THEN 'ended' ELSE 'in force' END) AS line
      FROM release
     ORDER BY release_id
    """

  private static let dirty = """
    SELECT format('%s %s/%s @%s !%s', subject_kind, subject_key1, subject_key2, scope, priority)
             AS line
      FROM dirty
     ORDER BY dirty_id
    """
}

extension TestRegistry {
  /// Runs statements as the owner, who may do everything: for what only a publisher would write.
  func script(_ sql: String) async throws {
    try await owner.transaction { connection in
      try await connection.script(RegistryStore.searchPath)
      try await connection.script(sql)
    }
  }

  /// One number that a statement of the owner returns.
  func number(_ sql: String) async throws -> Int64 {
    try await owner.withConnection { connection in
      try await connection.script(RegistryStore.searchPath)
      return try await connection.query(sql).only().int64(0)
    }
  }

  /// A moment by the database's clock.
  func now(adding seconds: Int64 = 0) async throws -> Instant {
    Instant(
      secondsSinceEpoch: try await number(
        "SELECT floor(extract(epoch FROM clock_timestamp()))::bigint")
    ).adding(seconds: seconds)
  }

  func addOperator(_ code: String, networks: [String]) async throws {
    let operatorCode = try #require(OperatorCode(code))
    let networks = try networks.map { try PLMN($0) }
    try await store.write {
      try await $0.addOperator(
        operatorCode, name: code, networks: networks, mode: .unknown, by: "test")
    }
  }

  /// Writes, and expects a refusal that changes nothing.
  func expectRefusal(
    _ code: StoreError.Code, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: @Sendable (RegistryTransaction) async throws -> Void
  ) async throws {
    let before = try await RegistryState(of: self)
    let error = await #expect(throws: StoreError.self, sourceLocation: sourceLocation) {
      try await store.write { try await body($0) }
    }
    #expect(error?.code == code, sourceLocation: sourceLocation)
    #expect(try await RegistryState(of: self) == before, sourceLocation: sourceLocation)
  }
}

/// A registry for the length of a closure.
nonisolated(nonsending) func withRegistry(
  in cluster: TestCluster = .shared, connections: Int = 8,
  _ body: (TestRegistry) async throws -> Void
) async throws {
  let registry = try await TestRegistry.make(in: cluster, connections: connections)
  do {
    try await body(registry)
    await registry.close()
  } catch {
    await registry.close()
    throw error
  }
}

/// IMEIs of one type, told apart by their serial.
func imei(_ serial: UInt64, type: UInt64 = 35_000_000) -> IMEI {
  IMEI(unchecked: type * 1_000_000 + serial)
}

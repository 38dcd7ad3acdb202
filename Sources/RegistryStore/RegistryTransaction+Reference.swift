import PostgreSQL

/// What rules need of one allocated type.
package struct TypeRow: Sendable {
  package let tac: UInt32
  package let manufacturer: String
  package let model: String
  package let deviceType: String
  /// All that the list says of its radio, as it came.
  package let bands: String
}

/// Reference data as a run of the rules reads it.
extension RegistryTransaction {
  /// The types that are allocated.
  package func allocatedTypes() async throws -> [UInt32] {
    try await connection.query(Self.types).map { UInt32(bitPattern: try $0.int32("tac")) }
  }

  package func typeRows() async throws -> [TypeRow] {
    try await connection.query(Self.typesWithBands).map { row in
      TypeRow(
        tac: UInt32(bitPattern: try row.int32("tac")),
        manufacturer: try row.string("manufacturer"), model: try row.string("model"),
        deviceType: try row.string("device_type"), bands: try row.string("bands"))
    }
  }

  /// Types that are black as a whole.
  package func barredTypes() async throws -> [UInt32] {
    try await connection.query(Self.barred).map { UInt32(try $0.int64("tac")) }
  }

  package func approvedTypes() async throws -> [UInt32] {
    try await connection.query(Self.approved).map { UInt32(try $0.int64("tac")) }
  }

  /// The texts of a list whose keys are texts.
  package func referenceTexts(_ list: String) async throws -> [String] {
    try await connection.query(Self.texts, list).map { try $0.string("key_text") }
  }

  /// Packed IMSIs and the persons they belong to.
  package func subscribersOfPersons() async throws -> [(imsi: UInt64, person: String)] {
    try await connection.query(Self.persons).map {
      (UInt64(try $0.int64("imsi")), try $0.string("person"))
    }
  }

  /// Served by tac_allocation_current.
  private static let types = "SELECT tac FROM tac_allocation WHERE until IS NULL"

  /// Served by tac_allocation_current. The columns are those of GSMA's list.
  private static let typesWithBands = """
    SELECT tac, manufacturer, model, COALESCE(attributes ->> 'device_type', '') AS device_type,
           concat_ws(',', attributes ->> 'bands', attributes ->> '5g_bands',
                     attributes ->> 'lpwan', attributes ->> 'radio_interface') AS bands
      FROM tac_allocation
     WHERE until IS NULL
    """

  /// Served by ground_subject.
  private static let barred = """
    SELECT DISTINCT subject_key1 AS tac
      FROM ground
     WHERE subject_kind = 3 AND status = 1 AND ended_at IS NULL AND started_at <= now()
    """

  /// Served by reference_row_current.
  private static let approved = """
    SELECT DISTINCT key1 AS tac
      FROM reference_row
     WHERE list = 'type-approval' AND until IS NULL
    """

  /// Served by reference_row_current.
  private static let texts = """
    SELECT DISTINCT key_text FROM reference_row WHERE list = $1 AND until IS NULL
    """

  /// Served by reference_row_current.
  private static let persons = """
    SELECT key1 AS imsi, key_text AS person
      FROM reference_row
     WHERE list = 'subscribers' AND until IS NULL
    """
}

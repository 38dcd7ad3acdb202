import DeviceIdentity
import DeviceLists
import Foundation
import NightlyJobs
import PostgreSQL
import RegistryFiles
import RegistryStore
import Simulation
import Testing

/// A registry with the operators alfa (00101) and beta (00102), and a folder for their files.
struct OperatorCountry: Sendable {
  let registry: TestRegistry
  let directory: String

  @discardableResult
  func imported(
    _ code: String, _ name: String, _ lines: [String], accept: [String] = [],
    rowsInMemory: Int? = nil
  ) async throws -> OperatorImport.Report {
    let outcome = try await take(
      code, name, lines, accept: accept, rowsInMemory: rowsInMemory)
    guard case .imported(_, let summary) = outcome else {
      throw SimulationFailure(what: "\(name) was not taken in: \(outcome)")
    }
    return summary
  }

  func take(
    _ code: String, _ name: String, _ lines: [String], accept: [String] = [],
    isTrial: Bool = false, rowsInMemory: Int? = nil
  ) async throws -> OperatorImport.Outcome {
    let text = "date,imei,imsi,msisdn,rat\n" + lines.map { $0 + "\n" }.joined()
    return try await take(
      code, name, bytes: Array(text.utf8), accept: accept, isTrial: isTrial,
      rowsInMemory: rowsInMemory)
  }

  func take(
    _ code: String, _ name: String, bytes: [UInt8], accept: [String] = [], isTrial: Bool = false,
    rowsInMemory: Int? = nil
  ) async throws -> OperatorImport.Outcome {
    let path = directory + "/" + name
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    var options = OperatorImport.Options(actor: "anna", temporaryDirectory: directory)
    options.accepted = try Set(accept.map { try #require(DumpCheck(rawValue: $0)) })
    options.acceptedReason = "a test"
    options.isDryRun = isTrial
    if let rowsInMemory { options.rowsInMemory = rowsInMemory }
    return try await OperatorImport(
      store: registry.store, operator: try #require(OperatorCode(code)), options: options
    ).run(path: path, listener: .init())
  }

  /// Every sighting of an IMEI, one line each.
  func rows() async throws -> [String] {
    try await texts(
      """
      SELECT concat_ws(' ', o.code, to_char(month, 'YYYY-MM'), lpad(imei::text, 14, '0'),
               CASE WHEN imsi = 0 THEN '–'
                    ELSE lpad((imsi % 1000000000000000)::text, (imsi / 1000000000000000)::integer,
                              '0') END,
               CASE WHEN msisdn = 0 THEN '–'
                    ELSE lpad((msisdn % 1000000000000000)::text,
                              (msisdn / 1000000000000000)::integer, '0') END,
               (SELECT string_agg((bit + 1)::text, ',' ORDER BY bit)
                  FROM generate_series(0, 30) bit WHERE days >> bit & 1 = 1),
               technologies)
        FROM ceir.sighting JOIN ceir.operator o USING (operator_id)
       ORDER BY o.code, month, imei, imsi, msisdn
      """)
  }

  func pending() async throws -> [String] {
    try await texts("SELECT DISTINCT imei::text FROM ceir.classify_pending ORDER BY 1")
  }

  func accepted(_ number: Int64) async throws -> String? {
    try await texts(
      """
      SELECT array_to_string(accepted, ' ') || ': ' || accepted_reason
        FROM ceir.import WHERE import_id = \(number)
      """
    ).first
  }

  func texts(_ sql: String) async throws -> [String] {
    try await registry.service.withConnection { connection in
      try await connection.query(PostgreSQLStatement(sql, parameters: [])).map {
        try $0.string(0)
      }
    }
  }

  func execute(_ sql: String) async throws {
    try await registry.owner.withConnection { try await $0.script(sql) }
  }
}

struct SimulationFailure: Error { let what: String }

func withOperators<Value: Sendable>(
  _ body: (OperatorCountry) async throws -> Value
) async throws -> Value {
  let directory = FileManager.default.temporaryDirectory
    .appendingPathComponent("operators-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(
    atPath: directory, withIntermediateDirectories: true)
  let registry = try await TestRegistry.make(connections: 6)
  let country = OperatorCountry(registry: registry, directory: directory)
  let result: Result<Value, any Error>
  do {
    for (code, network) in [("alfa", "00101"), ("beta", "00102")] {
      let code = try #require(OperatorCode(code))
      let plmn = try PLMN(network)
      try await registry.store.write {
        try await $0.addOperator(
          code, name: code.description, networks: [plmn], mode: .unknown, by: "anna")
      }
    }
    result = .success(try await body(country))
  } catch {
    result = .failure(error)
  }
  await registry.close()
  try? FileManager.default.removeItem(atPath: directory)
  return try result.get()
}

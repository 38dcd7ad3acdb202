import Foundation
import LocalPostgreSQL
import PostgreSQL
import Simulation
import Testing

@Suite(.serialized) struct StartTests {
  @Test func `a first start makes the cluster, the roles and the databases`() async throws {
    try await withCluster(roles: ["worker", "reader"]) { local, directory in
      try await local.withPool { pool in
        let row = try await pool.withConnection {
          try await $0.query(
            """
            SELECT session_user::text, current_setting('server_encoding'),
                   current_setting('data_checksums'), current_setting('fsync'),
                   pg_get_userbyid(datdba)::text
              FROM pg_database WHERE datname = current_database()
            """
          ).only()
        }
        let found = try (0..<5).map { try row.string(.index($0)) }
        #expect(found == ["worker", "UTF8", "on", "off", "worker"])
      }
      try await local.withPool(role: "reader") { pool in
        let isSuperuser = try await pool.withConnection {
          try await $0.query("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").only()
            .bool(0)
        }
        #expect(!isSuperuser)
      }
      for name in ["postgresql", "postgresql/data", "postgresql/socket", "postgresql/log"] {
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(directory)/\(name)")
        #expect(attributes[.posixPermissions] as? Int == 0o700, "\(name)")
      }
    }
  }

  @Test func `a warm start is quick and finds what was stored`() async throws {
    try await withCluster { local, _ in
      _ = try await local.withPool { pool in
        try await pool.withConnection { try await $0.script("CREATE TABLE t AS SELECT 7::int8 a") }
      }
      try await local.stop()
      let started = ContinuousClock.now
      try await local.start()
      let taken = ContinuousClock.now - started
      print("warm start: \(taken)")
      #expect(taken < .seconds(3))
      #expect(try await local.answer("SELECT a FROM t") == 7)
    }
  }

  @Test func `it never listens on TCP, whatever local.conf says`() async throws {
    try await withCluster { local, directory in
      try await local.stop()
      try "listen_addresses = '*'\nport = 6543\n".write(
        toFile: directory + "/postgresql/data/local.conf", atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o644], ofItemAtPath: directory + "/postgresql/data/local.conf")
      try await local.start()
      let server = try await local.serverNumber()
      #expect(try listeningInodes().isDisjoint(with: socketInodes(of: server)))
      #expect(try !socketInodes(of: server).isEmpty)
    }
  }

  /// Inodes of listening TCP sockets; state 0A, proc(5).
  private func listeningInodes() throws -> Set<String> {
    var inodes: Set<String> = []
    for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
      guard let content = FileManager.default.contents(atPath: file) else { continue }
      for line in String(decoding: content, as: UTF8.self).split(separator: "\n").dropFirst() {
        let fields = line.split(separator: " ")
        if fields.count > 9, fields[3] == "0A" { inodes.insert(String(fields[9])) }
      }
    }
    return inodes
  }

  private func socketInodes(of pid: Int32) throws -> Set<String> {
    let directory = "/proc/\(pid)/fd"
    let links = try FileManager.default.contentsOfDirectory(atPath: directory).compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/\($0)")
    }
    return Set(links.filter { $0.hasPrefix("socket:[") }.map { String($0.dropFirst(8).dropLast()) })
  }

  @Test func `a role that is not ours is refused`() async throws {
    try await withCluster { local, _ in
      _ = try await local.withPool { pool in
        try await pool.withConnection { try await $0.query("SELECT 1") }
      }
      let superuser = PostgreSQLPool(
        PostgreSQLConfiguration(
          connectionString: local.connectionString(
            role: LocalPostgreSQL.superuser, database: "postgres")))
      try await superuser.withConnection { try await $0.script("CREATE ROLE stranger LOGIN") }
      await superuser.close()
      let error = await #expect(throws: PostgreSQLError.self) {
        try await local.withPool(role: "stranger") { pool in
          try await pool.withConnection { _ in }
        }
      }
      #expect(error?.code == .cannotConnect)
    }
  }

  @Test(arguments: [
    "a directory with spaces, commas and 'quotes'", String(repeating: "d", count: 120),
  ])
  func `an awkward path gets a short socket elsewhere`(name: String) async throws {
    let parent = try temporaryDirectory("ceir-local-test")
    let directory = parent + "/" + name
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: false,
      attributes: [.posixPermissions: 0o711])
    try await withCluster(in: directory) { local, _ in
      #expect(try await local.answer("SELECT 1::int8") == 1)
      let text = local.connectionString(role: "worker", database: "registry")
      let socket = try #require(text.split(separator: "'").dropFirst().first)
      #expect(!socket.hasPrefix(directory))
      #expect(socket.utf8.count + "/.s.PGSQL.5432".utf8.count <= 100)
      let attributes = try FileManager.default.attributesOfItem(atPath: String(socket))
      #expect(attributes[.posixPermissions] as? Int == 0o700)
      try await local.stop()
      try FileManager.default.removeItem(atPath: String(socket))
    }
    try FileManager.default.removeItem(atPath: parent)
  }

  @Test func `another major version is refused with what to do`() async throws {
    try await withCluster { local, directory in
      try await local.stop()
      let file = directory + "/postgresql/data/PG_VERSION"
      let version = try String(contentsOfFile: file, encoding: .utf8)
      try "9\n".write(toFile: file, atomically: false, encoding: .utf8)
      let error = await #expect(throws: LocalPostgreSQLError.self) { try await local.start() }
      #expect(error?.code == .versionMismatch)
      #expect(error?.description.contains("install postgresql-9") == true)
      try version.write(toFile: file, atomically: false, encoding: .utf8)
      try await local.start()
    }
  }

  @Test func `programs that are not there are named`() async throws {
    let directory = try temporaryDirectory("ceir-local-test")
    var configuration = configuration(directory)
    configuration.binDirectory = "/nonexistent"
    let local = LocalPostgreSQL(configuration)
    let error = await #expect(throws: LocalPostgreSQLError.self) { try await local.start() }
    #expect(error?.code == .notInstalled)
    try FileManager.default.removeItem(atPath: directory)
  }

  @Test(.enabled(if: geteuid() == 0))
  func `a parent that the server's user cannot pass is named`() async throws {
    let parent = try temporaryDirectory("ceir-local-test")
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: parent)
    let local = LocalPostgreSQL(configuration(parent + "/inside"))
    let error = await #expect(throws: LocalPostgreSQLError.self) { try await local.start() }
    #expect(error?.code == .unreachableDirectory)
    #expect(error?.description.contains("chmod o+x \(parent)") == true)
    try FileManager.default.removeItem(atPath: parent)
  }

  @Test(arguments: ["", "Upper", "semi;colon", "quote\"", "line\nbreak"])
  func `a name that would need quoting is refused`(name: String) async throws {
    let directory = try temporaryDirectory("ceir-local-test")
    let local = LocalPostgreSQL(configuration(directory, roles: [name]))
    let error = await #expect(throws: LocalPostgreSQLError.self) { try await local.start() }
    #expect(error?.code == .setUpFailed)
    try FileManager.default.removeItem(atPath: directory)
  }

  @Test func `the server's log shows no value of a failed statement`() async throws {
    try await withCluster { local, directory in
      _ = try? await local.answer("SELECT 'secret-262011234567890'::int8")
      try await local.stop()
      let log = directory + "/postgresql/log"
      for file in try FileManager.default.contentsOfDirectory(atPath: log) {
        let text = try String(contentsOfFile: log + "/" + file, encoding: .utf8)
        #expect(!text.contains("262011234567890"))
      }
    }
  }
}

import PostgreSQL
import Simulation
import Testing

@Suite struct ErrorTests {
  /// Each statement gets the secret in another way.
  @Test(arguments: [
    ("INSERT INTO t VALUES ($1)", "23505"),
    ("SELECT ($1 || 'x')::int8", "22P02"),
    ("SELECT ('x' || $1)::date", "22007"),
    ("INSERT INTO narrow VALUES ($1)", "22001"),
    ("INSERT INTO checked VALUES ($1)", "23514"),
    ("INSERT INTO child VALUES ($1)", "23503"),
    ("SELECT ('{' || $1)::jsonb", "22P02"),
  ])
  func `no error shows a value`(sql: String, sqlState: String) async throws {
    let secret = "262011234567890"
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { connection in
        try await connection.script(
          """
          CREATE TABLE t (a text CONSTRAINT t_pkey PRIMARY KEY); INSERT INTO t VALUES ('\(secret)');
          CREATE TABLE narrow (a varchar(3));
          CREATE TABLE checked (a text CONSTRAINT short CHECK (length(a) < 3));
          CREATE TABLE parent (a text PRIMARY KEY);
          CREATE TABLE child (a text REFERENCES parent);
          """)
        let error = try #require(
          await #expect(throws: PostgreSQLError.self) {
            try await connection.query(sql, secret)
          })
        #expect(error.code == .server(sqlState: sqlState))
        let shown = [
          error.description, error.debugDescription, "\(error)", String(reflecting: error),
        ]
        for text in shown { #expect(!text.contains(secret)) }
        #expect(!error.description.contains(sql))
      }
    }
  }

  @Test func `a constraint is named`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { connection in
        try await connection.script("CREATE TABLE t (a int CONSTRAINT once UNIQUE)")
        try await connection.query("INSERT INTO t VALUES (1)")
        let error = await #expect(throws: PostgreSQLError.self) {
          try await connection.query("INSERT INTO t VALUES (1)")
        }
        #expect(error?.constraint == "once")
        #expect(error?.table == "t")
        #expect(
          error?.description
            == "The database refused the statement (SQLSTATE 23505, constraint once, table t)")
      }
    }
  }

  @Test func `a configuration does not show its connection string`() {
    let configuration = PostgreSQLConfiguration(
      connectionString: "host=h password=hunter2 user=u")
    var dumped = ""
    dump(configuration, to: &dumped)
    for text in ["\(configuration)", String(reflecting: configuration), dumped] {
      #expect(!text.contains("hunter2"))
    }
  }

  @Test func `a server that is not there is said to be out of reach`() async throws {
    let pool = PostgreSQLPool(
      PostgreSQLConfiguration(connectionString: "host=/nonexistent password=hunter2"))
    let error = await #expect(throws: PostgreSQLError.self) {
      try await pool.withConnection { _ in }
    }
    #expect(error?.code == .cannotConnect)
    #expect(error?.description == "The database cannot be reached")
    #expect(error?.debugDescription.contains("hunter2") == false)
    await pool.close()
  }

  @Test func `a misused connection says so and others go on`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      let kept = try await pool.withConnection { $0 }
      let late = await #expect(throws: PostgreSQLError.self) { try await kept.query("SELECT 1") }
      #expect(late?.code == .misuse)
      let copied = await #expect(throws: PostgreSQLError.self) {
        try await pool.withConnection { try await $0.query("COPY (SELECT 1) TO STDOUT") }
      }
      #expect(copied?.code == .misuse)
      let copiedIn = await #expect(throws: PostgreSQLError.self) {
        try await pool.withConnection { connection in
          try await connection.copyOut("SELECT 1") { _ in }
        }
      }
      #expect(copiedIn?.code == .misuse)
      #expect(try await pool.withConnection { try await $0.query("SELECT 1").count } == 1)
    }
  }
}

import PostgreSQL
import Simulation
import Testing

@Suite struct QueryTests {
  @Test func `every type comes back as it was sent`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { connection in
        let sql = """
          SELECT $1::bool AS flag, $2::int2 AS small, $3::int4 AS middle, $4::int8 AS large,
                 $5::text AS words, $6::bytea AS raw, $7::timestamptz AS moment,
                 $8::date AS day, $9::float8 AS real, $10::uuid AS id, $11::jsonb AS document
          """
        // Twice as it is, then prepared: the same answer each time.
        for _ in 0..<3 {
          let row = try await connection.query(
            sql, true, Int16.min, Int32.min, Int64.min, "äöü€𝄞", [0, 255, 7] as [UInt8],
            PostgreSQLTimestamp(microsecondsSince1970: 1_700_000_000_123_456),
            PostgreSQLDate(daysSince1970: -1), 0.1,
            "01234567-89ab-cdef-0123-456789abcdef", #"{"a": 1}"#
          ).only()
          #expect(try row.bool("flag"))
          #expect(try row.int16("small") == .min)
          #expect(try row.int32("middle") == .min)
          #expect(try row.int64("large") == .min)
          #expect(try row.string("words") == "äöü€𝄞")
          #expect(try row.bytes("raw") == [0, 255, 7])
          #expect(
            try row.timestamp("moment").microsecondsSince1970 == 1_700_000_000_123_456)
          #expect(try row.date("day").daysSince1970 == -1)
          #expect(try row.double("real") == 0.1)
          #expect(try row.string("id") == "01234567-89ab-cdef-0123-456789abcdef")
          #expect(try row.string("document") == #"{"a": 1}"#)
        }
      }
    }
  }

  @Test func `times mean what PostgreSQL means by them`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { connection in
        let row = try await connection.query(
          """
          SELECT ($1::timestamptz)::text, ($2::date)::text, timestamptz 'infinity',
                 timestamptz '1969-12-31 23:59:59.5+00', $3::timestamptz = 'infinity'
          """, PostgreSQLTimestamp(secondsSince1970: 951_782_400),
          PostgreSQLDate(daysSince1970: 11_016),
          PostgreSQLTimestamp(microsecondsSince1970: .max)
        ).only()
        #expect(try row.string(0) == "2000-02-29 00:00:00+00")
        #expect(try row.string(1) == "2000-02-29")
        #expect(try row.timestamp(2).microsecondsSince1970 == .max)
        #expect(try row.timestamp(3).secondsSince1970 == -1)
        #expect(try row.bool(4))
      }
    }
  }

  @Test func `arrays and nulls come back as they were sent`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { connection in
        let row = try await connection.query(
          """
          SELECT $1 AS a, $2 AS b, $3 AS c, $4::text[] AS d, $5 AS e, $6::int8 AS f,
                 $7::text AS g
          """,
          [1, 2, 3] as [Int64], [Int32.max], [] as [Int16], ["x", nil, ""] as [String?],
          ["\"{},\\", "NULL"], nil as Int64?, nil as String?
        ).only()
        #expect(try row.int64s("a") == [1, 2, 3])
        #expect(try row.int32s("b") == [.max])
        #expect(try row.int16s("c") == [])
        #expect(try row.optionalStrings("d") == ["x", nil, ""])
        #expect(try row.strings("e") == ["\"{},\\", "NULL"])
        #expect(try row.optionalInt64("f") == nil)
        #expect(try row.optionalString("g") == nil)
        #expect(throws: PostgreSQLError.self) { try row.strings("d") }
      }
    }
  }

  @Test(arguments: [
    ("0", 0), ("9999", 9999), ("10000", 10_000), ("-120000000", -120_000_000),
    ("9223372036854775807", Int64.max), ("1000000000000.00", 1_000_000_000_000),
  ])
  func `a whole numeric is an integer`(text: String, value: Int64) async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { connection in
        let row = try await connection.query("SELECT $1::numeric", text).only()
        #expect(try row.int64(0) == value)
      }
    }
  }

  @Test(arguments: [
    "SELECT 1.5::numeric", "SELECT 9223372036854775808::numeric", "SELECT 'NaN'::numeric",
    "SELECT 'x'::text", "SELECT NULL::int8", "SELECT '{{1}}'::int8[]",
  ])
  func `what does not fit is refused by the column's name, without the value`(
    sql: String
  ) async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { connection in
        let row = try await connection.query("SELECT q.c FROM (\(sql)) AS q(c)").only()
        let error = try #require(throws: PostgreSQLError.self) { try row.int64("c") }
        #expect(error.code == .decoding)
        #expect(error.column == "c")
        #expect(throws: PostgreSQLError.self) { try row.int64("missing") }
        #expect(throws: PostgreSQLError.self) { try row.int64(1) }
      }
    }
  }

  @Test func `large values pass whole`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { connection in
        let bytes = (0..<20_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 8) }
        let row = try await connection.query("SELECT $1::bytea, length($1)", bytes).only()
        #expect(try row.bytes(0) == bytes)
        #expect(try row.int32(1) == 20_000_000)
        let text = String(repeating: "ä", count: 3_000_000)
        #expect(try await connection.query("SELECT $1::text", text).only().string(0) == text)
      }
    }
  }

  @Test func `text with NUL is refused before it is sent`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { connection in
        for parameter: any PostgreSQLParameter in ["a\0b", ["a", "b\0"]] {
          let error = await #expect(throws: PostgreSQLError.self) {
            try await connection.query("SELECT $1::text", parameter)
          }
          #expect(error?.code == .encoding)
        }
      }
    }
  }

  @Test func `statements beyond the limit of prepared ones still run`() async throws {
    let database = try await TestCluster.shared.database()
    var configuration = database.configuration()
    configuration.preparedStatementLimit = 3
    let pool = PostgreSQLPool(configuration, limits: .init(maxConnections: 1))
    try await pool.withConnection { connection in
      for round in 0..<4 {
        for number in 0..<6 {
          for _ in 0..<2 {
            let row = try await connection.query("SELECT \(number) + $1", Int32(round)).only()
            #expect(try row.int32(0) == Int32(number + round))
          }
        }
      }
      let kept = try await connection.query("SELECT count(*) FROM pg_prepared_statements")
      #expect(try kept.only().int64(0) <= 3)
    }
    await pool.close()
  }

  @Test func `a prepared statement survives a change of its table`() async throws {
    try await TestCluster.shared.database().withPool(limits: .init(maxConnections: 1)) { pool in
      try await pool.withConnection { connection in
        try await connection.script("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
        for _ in 0..<3 { try await connection.query("SELECT * FROM t") }
        try await connection.script("ALTER TABLE t ADD b int DEFAULT 2")
        #expect(try await connection.query("SELECT * FROM t").only().columnCount == 2)
        for _ in 0..<3 { try await connection.query("SELECT 1") }
        try await connection.script("DISCARD ALL")
        try await connection.query("SELECT 1")
      }
    }
  }

  @Test func `a batch answers in order, and all of it fails with one`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { connection in
        try await connection.script("CREATE TABLE t (a int8 PRIMARY KEY)")
        let insert = (1...500).map {
          PostgreSQLStatement("INSERT INTO t VALUES ($1) RETURNING a * 2", Int64($0))
        }
        let rows = try await connection.batch(insert)
        #expect(try rows.map { try $0.only().int64(0) } == (1...500).map { $0 * 2 })
        let error = await #expect(throws: PostgreSQLError.self) {
          try await connection.batch([
            PostgreSQLStatement("INSERT INTO t VALUES (1000)"),
            PostgreSQLStatement("INSERT INTO t VALUES (1)"),
            PostgreSQLStatement("INSERT INTO t VALUES (1001)"),
          ])
        }
        #expect(error?.isUniqueViolation == true)
        #expect(try await connection.query("SELECT count(*) FROM t").only().int64(0) == 500)
        #expect(try await connection.batch([]).isEmpty)
      }
    }
  }

  @Test func `rows changed are counted`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { connection in
        try await connection.script("CREATE TABLE t (a int)")
        #expect(
          try await connection.execute(
            "INSERT INTO t SELECT unnest($1::int4[])", [1, 2, 3] as [Int32]) == 3)
        #expect(try await connection.execute("UPDATE t SET a = a + 1 WHERE a > $1", 1) == 2)
        #expect(try await connection.execute("DELETE FROM t") == 3)
      }
    }
  }
}

import PostgreSQL
import Simulation
import Testing

@Suite struct CopyTests {
  struct Enough: Error {}

  @Test func `text goes in and comes out as it was`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { connection in
        try await connection.script("CREATE TABLE t (a int8, b text)")
        let lines = (0..<100_000).map { "\($0)\tline \($0)\n" }
        let count = try await connection.copyIn("COPY t FROM STDIN") { copy in
          for line in lines { try await copy.write(line) }
        }
        #expect(count == 100_000)
        var bytes: [UInt8] = []
        var chunks = 0
        try await connection.copyOut("COPY (SELECT a, b FROM t ORDER BY a) TO STDOUT") { chunk in
          #expect(chunk.last == UInt8(ascii: "\n"))
          bytes += chunk
          chunks += 1
        }
        #expect(String(decoding: bytes, as: UTF8.self) == lines.joined())
        #expect(chunks < 20)
      }
    }
  }

  @Test func `binary rows go in and come out as they were`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { connection in
        try await connection.script(
          """
          CREATE TABLE t (a int8, b int4, c int2, d bool, e text, f bytea, g timestamptz,
                          h date, i text[])
          """)
        let rowCount = 50_000
        let stored = try await connection.copyIn("COPY t FROM STDIN (FORMAT binary)") { copy in
          var rows = BinaryCopyWriter()
          for number in 0..<rowCount {
            Self.write(number, to: &rows)
            if rows.isFull { try await copy.write(&rows) }
          }
          rows.finish()
          try await copy.write(&rows)
        }
        #expect(stored == rowCount)
        var number = 0
        try await connection.copyOut(
          "COPY (SELECT a, b, c, d, e, f, g, h, i FROM t ORDER BY a) TO STDOUT (FORMAT binary)"
        ) { chunk in
          try chunk.withUnsafeBytes { raw in
            var rows = BinaryCopyReader(raw)
            while try rows.nextRow() {
              try Self.expect(number, from: &rows)
              number += 1
            }
          }
        }
        #expect(number == rowCount)
        let sum = try await connection.query(
          "SELECT sum(a), count(b), sum(cardinality(i)) FROM t"
        ).only()
        #expect(try sum.int64(0) == Int64(rowCount * (rowCount - 1) / 2))
        #expect(try sum.int64(1) == Int64(rowCount - (rowCount + 6) / 7))
      }
    }
  }

  private static func write(_ number: Int, to rows: inout BinaryCopyWriter) {
    rows.row(fields: 9)
    rows.int64(Int64(number))
    if number % 7 == 0 { rows.null() } else { rows.int32(Int32(-number)) }
    rows.int16(Int16(truncatingIfNeeded: number))
    rows.bool(number % 2 == 0)
    rows.text(String(repeating: "ä", count: number % 40))
    rows.bytes([UInt8(truncatingIfNeeded: number), 0])
    rows.timestamp(PostgreSQLTimestamp(secondsSince1970: Int64(number) * 100_000))
    rows.date(PostgreSQLDate(daysSince1970: Int32(number)))
    rows.texts((0..<number % 3).map { "\($0)" })
  }

  private static func expect(_ number: Int, from rows: inout BinaryCopyReader) throws {
    let isAsWritten =
      try rows.int64() == Int64(number)
      && rows.optionalInt32() == (number % 7 == 0 ? nil : Int32(-number))
      && rows.int16() == Int16(truncatingIfNeeded: number)
      && rows.bool() == (number % 2 == 0)
      && rows.text() == String(repeating: "ä", count: number % 40)
      && Array(rows.bytesInPlace()) == [UInt8(truncatingIfNeeded: number), 0]
      && rows.timestamp().secondsSince1970 == Int64(number) * 100_000
    // Every second time the rest of the row is skipped.
    guard number % 2 == 0 else { return #expect(isAsWritten) }
    let isRestAsWritten =
      try rows.date().daysSince1970 == Int32(number)
      && rows.texts() == (0..<number % 3).map { "\($0)" }
    #expect(isAsWritten && isRestAsWritten)
  }

  /// Header and rows as in the PostgreSQL documentation, COPY, "Binary Format".
  @Test(
    arguments: [
      [0x50, 0x47, 0x43],
      [0, 1],
      [0, 1, 0, 0, 0, 8, 0],
      [0, 1, 0, 0, 0, 4, 0, 0, 0, 1],
      [0, 0],
      [0x80, 0, 0, 0],
      [0, 1, 0x7F, 0xFF, 0xFF, 0xFF, 0],
    ] as [[UInt8]])
  func `malformed binary data is refused`(bytes: [UInt8]) {
    bytes.withUnsafeBytes { raw in
      let error = #expect(throws: PostgreSQLError.self) {
        var rows = BinaryCopyReader(raw)
        _ = try rows.nextRow()
        _ = try rows.int64()
      }
      #expect(error?.code == .decoding)
    }
  }

  @Test func `a writer that throws stores nothing and the connection lives on`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { connection in
        try await connection.script("CREATE TABLE t (a int8)")
        await #expect(throws: Enough.self) {
          try await connection.copyIn("COPY t FROM STDIN") { copy in
            for number in 0..<200_000 { try await copy.write("\(number)\n") }
            throw Enough()
          }
        }
        #expect(try await connection.query("SELECT count(*) FROM t").only().int64(0) == 0)
      }
    }
  }

  @Test func `a reader that throws stops the server and the connection lives on`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { connection in
        await #expect(throws: Enough.self) {
          try await connection.copyOut(
            "COPY (SELECT generate_series(1, 1000000000000)) TO STDOUT"
          ) { _ in throw Enough() }
        }
        try await connection.query("SELECT 1")
      }
    }
  }

  @Test func `a bad row ends the copy long before its end`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { connection in
        try await connection.script("CREATE TABLE t (a int8)")
        var written = 0
        let piece = [UInt8]("262011234567890x\n".utf8)
        let error = await #expect(throws: PostgreSQLError.self) {
          try await connection.copyIn("COPY t FROM STDIN") { copy in
            while true {
              try await copy.write(piece)
              written += piece.count
            }
          }
        }
        #expect(error?.code == .server(sqlState: "22P02"))
        #expect(error?.debugDescription.contains("26201") == false)
        #expect(written < 100_000_000)
        try await connection.query("SELECT 1")
      }
    }
  }

  @Test func `a statement in the middle of a copy is refused`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { connection in
        try await connection.script("CREATE TABLE t (a int8)")
        let error = await #expect(throws: PostgreSQLError.self) {
          try await connection.copyIn("COPY t FROM STDIN") { _ in
            try await connection.query("SELECT 1")
          }
        }
        #expect(error?.code == .misuse)
        try await connection.query("SELECT 1")
      }
    }
  }

  @Test func `a cancelled copy stores nothing`() async throws {
    let database = try await TestCluster.shared.database()
    try await database.withPool { pool in
      try await pool.withConnection { connection in
        try await connection.script("CREATE TABLE t (a int8)")
        let task = Task {
          try await connection.copyIn("COPY t FROM STDIN") { copy in
            while true { try await copy.write("1\n") }
          }
        }
        try await database.waitForStatement("COPY t%")
        task.cancel()
        let error = await #expect(throws: PostgreSQLError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(try await connection.query("SELECT a FROM t").isEmpty)
      }
    }
  }

  @Test func `a copy whose connection breaks says so`() async throws {
    let database = try await TestCluster.shared.database()
    try await database.withPool { pool in
      try await pool.withConnection { try await $0.script("CREATE TABLE t (a int8)") }
      let error = await #expect(throws: PostgreSQLError.self) {
        try await pool.withConnection { connection in
          try await connection.copyIn("COPY t FROM STDIN") { copy in
            try await copy.write([UInt8](repeating: UInt8(ascii: "\n"), count: 0))
            try await database.endConnections()
            while true { try await copy.write("1\n") }
          }
        }
      }
      #expect(error?.code == .connectionLost)
      let rows = try await pool.withConnection { try await $0.query("SELECT a FROM t") }
      #expect(rows.isEmpty)
    }
  }
}

extension PostgreSQLConnection {
  /// Bytes gathered before a thread is woken; large enough to make that cost vanish.
  package static let copyChunkBytes = 1 << 18

  /// Runs a `COPY … TO STDOUT` and hands its bytes to `body`, whole rows at a time, each chunk
  /// when `body` is done with the one before. If `body` throws, the COPY is stopped and the
  /// connection stays usable. The statement timeout limits the COPY as a whole; long ones belong
  /// into a transaction with another.
  package nonisolated(nonsending) func copyOut(
    _ sql: String, chunkBytes: Int = copyChunkBytes,
    _ body: ([UInt8]) async throws -> Void
  ) async throws {
    try await run { wire throws(PostgreSQLError) in try wire.beginCopyOut(sql) }
    do {
      while true {
        let chunk = try await run { wire throws(PostgreSQLError) in
          try wire.takeCopy(chunkBytes: chunkBytes)
        }
        if chunk.isEmpty { return }
        try await body(chunk)
      }
    } catch {
      try await run(cancellable: false) { wire throws(PostgreSQLError) in
        try wire.abandonCopyOut()
      }
      throw error
    }
  }

  /// Runs a `COPY … FROM STDIN` with what `body` writes; returns the number of rows. `write`
  /// waits until the bytes are on their way. If `body` throws, nothing is stored. The statement
  /// timeout limits the COPY as a whole; long ones belong into a transaction with another.
  @discardableResult
  package nonisolated(nonsending) func copyIn(
    _ sql: String, _ body: (PostgreSQLCopyWriter) async throws -> Void
  ) async throws -> Int {
    try await run { wire throws(PostgreSQLError) in try wire.beginCopyIn(sql) }
    let writer = PostgreSQLCopyWriter(connection: self)
    do {
      try await body(writer)
      try await writer.flush()
      return try await run { wire throws(PostgreSQLError) in
        try wire.requireReady(.copyIn)
        return try wire.finishCopyIn(abortedBecause: nil)
      }
    } catch {
      try await run(cancellable: false) { wire throws(PostgreSQLError) in
        try wire.abandonCopyIn()
      }
      throw error
    }
  }
}

/// Takes the data of one COPY FROM, gathering it into large pieces.
package final class PostgreSQLCopyWriter {
  private let connection: PostgreSQLConnection
  private var gathered: [UInt8] = []

  init(connection: PostgreSQLConnection) {
    self.connection = connection
    gathered.reserveCapacity(PostgreSQLConnection.copyChunkBytes)
  }

  package nonisolated(nonsending) func write(_ bytes: [UInt8]) async throws(PostgreSQLError) {
    if bytes.count >= PostgreSQLConnection.copyChunkBytes {
      try await flush()
      try await send(bytes)
    } else {
      gathered.append(contentsOf: bytes)
      if gathered.count >= PostgreSQLConnection.copyChunkBytes { try await flush() }
    }
  }

  /// For the text and CSV formats. Rows end in a line feed.
  package nonisolated(nonsending) func write(_ text: String) async throws(PostgreSQLError) {
    gathered.append(contentsOf: text.utf8)
    if gathered.count >= PostgreSQLConnection.copyChunkBytes { try await flush() }
  }

  /// Sends the rows and empties `rows`, which keeps its memory.
  package nonisolated(nonsending) func write(
    _ rows: inout BinaryCopyWriter
  ) async throws(PostgreSQLError) {
    try await flush()
    let bytes = LentBytes(bytes: rows.bytes)
    try await connection.run { wire throws(PostgreSQLError) in try wire.putCopy(bytes.bytes) }
    rows.removeAll()
  }

  nonisolated(nonsending) func flush() async throws(PostgreSQLError) {
    guard !gathered.isEmpty else { return }
    let bytes = gathered
    gathered.removeAll(keepingCapacity: true)
    try await send(bytes)
  }

  private nonisolated(nonsending) func send(_ bytes: [UInt8]) async throws(PostgreSQLError) {
    try await connection.run { wire throws(PostgreSQLError) in
      try wire.putCopy(bytes)
    }
  }
}

/// `@unchecked Sendable`: the owner waits in `Session.run`, which returns only after the
/// session's thread is done with the bytes.
private struct LentBytes: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer
}

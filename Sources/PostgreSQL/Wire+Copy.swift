internal import CLibPQ

#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

extension Wire {
  /// A socket that is ready for writing takes this much at once. (When it does not, libpq reads
  /// what the server says into its own memory, where nobody can see a refusal before the end.)
  static let copyPieceBytes = 1 << 15

  func beginCopyIn(_ sql: String) throws(PostgreSQLError) {
    try beginCopy(sql, PGRES_COPY_IN)
    mode = .copyIn
  }

  func beginCopyOut(_ sql: String) throws(PostgreSQLError) {
    try beginCopy(sql, PGRES_COPY_OUT)
    mode = .copyOut
  }

  private func beginCopy(
    _ sql: String, _ expected: ExecStatusType
  ) throws(PostgreSQLError) {
    try requireReady(.statements)
    try sent(PQsendQueryParams(connection, sql, 0, nil, nil, nil, nil, 0))
    guard let pointer = try nextResult() else { throw lost() }
    let status = PQresultStatus(pointer)
    defer { PQclear(pointer) }
    if status == expected { return }
    switch status {
    case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
      lose()
      throw .misuse("The COPY goes the other way")
    case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
      try drainResults()
      throw .misuse("The statement is no COPY between us and the server")
    default:
      let failure = error(of: pointer)
      try drainResults()
      throw isLost ? failure.recodedAsLost : failure
    }
  }

  private func drainResults() throws(PostgreSQLError) {
    while let pointer = try nextResult() { PQclear(pointer) }
    if PQstatus(connection) != CONNECTION_OK { lose() }
  }

  /// Sends COPY FROM data. When the server refuses, throws its error, and the COPY is over.
  func putCopy(_ bytes: UnsafeRawBufferPointer) throws(PostgreSQLError) {
    try requireReady(.copyIn)
    var rest = bytes
    while !rest.isEmpty {
      let ready = try wait(for: Int16(POLLIN | POLLOUT))
      if ready & Int16(POLLIN) != 0, try isRefusal() { throw try refusalOfCopyIn() }
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.copyPieceBytes))
      let start = piece.baseAddress?.assumingMemoryBound(to: CChar.self)
      switch PQputCopyData(connection, start, Int32(piece.count)) {
      case 1: rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
      case 0: try flushCopy()
      default: throw lost()
      }
    }
    try flushCopy()
  }

  func putCopy(_ bytes: [UInt8]) throws(PostgreSQLError) {
    let outcome: Result<Void, PostgreSQLError> = bytes.withUnsafeBytes { raw in
      do throws(PostgreSQLError) {
        return .success(try putCopy(raw))
      } catch {
        return .failure(error)
      }
    }
    try outcome.get()
  }

  private func flushCopy() throws(PostgreSQLError) {
    while true {
      let status = PQflush(connection)
      if status < 0 { throw lost() }
      if status == 0 { return }
      let ready = try wait(for: Int16(POLLIN | POLLOUT))
      if ready & Int16(POLLIN) != 0, try isRefusal() { throw try refusalOfCopyIn() }
    }
  }

  /// The server has spoken: during COPY FROM it only does so to refuse. Under TLS it may be a
  /// renewed key; there a refusal shows at the end of the data.
  private func isRefusal() throws(PostgreSQLError) -> Bool {
    if PQconsumeInput(connection) == 0 { throw lost() }
    return PQsslInUse(connection) == 0 || limits.stopReason != nil
  }

  private func refusalOfCopyIn() throws(PostgreSQLError) -> PostgreSQLError {
    do throws(PostgreSQLError) {
      _ = try finishCopyIn(abortedBecause: "refused")
    } catch {
      return error
    }
    return lost()
  }

  /// Ends COPY FROM; returns the number of rows. With a reason, the server drops all of it and
  /// its error is thrown.
  func finishCopyIn(abortedBecause reason: String?) throws(PostgreSQLError) -> Int {
    guard !isLost else { throw .connectionLost() }
    guard mode == .copyIn else { throw .misuse("No COPY FROM is under way") }
    mode = .statements
    while true {
      let status = PQputCopyEnd(connection, reason)
      if status == 1 { break }
      if status < 0 { throw lost() }
      try flush()
    }
    try flush()
    return try collect().affectedCount
  }

  /// Ends a COPY FROM that the caller gave up. Its own refusal is what was asked for.
  func abandonCopyIn() throws(PostgreSQLError) {
    guard mode == .copyIn, !isLost else { return }
    do throws(PostgreSQLError) {
      _ = try finishCopyIn(abortedBecause: "given up by the client")
    } catch {
      if isLost { throw error }
    }
  }

  /// Rows of COPY TO until `chunkBytes` are reached; empty after the last. The server sends one
  /// message per row, so a chunk holds whole rows.
  func takeCopy(chunkBytes: Int) throws(PostgreSQLError) -> [UInt8] {
    guard mode == .copyOut else { return [] }
    try requireReady(.copyOut)
    var chunk: [UInt8] = []
    chunk.reserveCapacity(chunkBytes + chunkBytes / 4)
    while chunk.count < chunkBytes {
      var row: UnsafeMutablePointer<CChar>?
      let length = PQgetCopyData(connection, &row, 1)
      if length > 0, let row {
        chunk.append(contentsOf: UnsafeRawBufferPointer(start: row, count: Int(length)))
        PQfreemem(row)
      } else if length == 0 {
        _ = try wait(for: Int16(POLLIN))
        if PQconsumeInput(connection) == 0 { throw lost() }
      } else {
        try finishCopyOut(length)
        break
      }
    }
    return chunk
  }

  private func finishCopyOut(_ status: Int32) throws(PostgreSQLError) {
    mode = .statements
    _ = try collect()
    if status == -2 { throw lost() }
  }

  /// Stops a COPY TO whose reader gave up: the rest is stopped on the server, then read away.
  func abandonCopyOut() throws(PostgreSQLError) {
    guard mode == .copyOut, !isLost else { return }
    stopStatement(because: .cancelled)
    do throws(PostgreSQLError) {
      while mode == .copyOut { _ = try takeCopy(chunkBytes: PostgreSQLConnection.copyChunkBytes) }
    } catch {
      if isLost { throw error }
    }
  }
}

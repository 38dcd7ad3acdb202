package import DeviceLists
import PostgreSQL

/// A file written for an operator.
package struct ReplicationRecord: Sendable, Hashable {
  package enum Kind: String, Sendable { case full, incremental }

  package var number: Int64
  package var kind: Kind
  /// Of the data file, without its folder.
  package var fileName: String
  package var bytes: Int64
  package var sha256: [UInt8]
  package var records: Int64
  package var parametersVersion: Int
  package var epoch: Epoch
  /// 0 for a full file.
  package var after: Position
  package var upTo: Position
  /// JSON, exactly as it is published.
  package var manifest: String

  package init(
    number: Int64, kind: Kind, fileName: String, bytes: Int64, sha256: [UInt8], records: Int64,
    parametersVersion: Int, epoch: Epoch, after: Position, upTo: Position, manifest: String
  ) {
    self.number = number
    self.kind = kind
    self.fileName = fileName
    self.bytes = bytes
    self.sha256 = sha256
    self.records = records
    self.parametersVersion = parametersVersion
    self.epoch = epoch
    self.after = after
    self.upTo = upTo
    self.manifest = manifest
  }
}

/// A file that a node has handed over, and what became of it.
package struct InboundFileRecord: Sendable, Hashable {
  package enum Kind: String, Sendable, CaseIterable {
    case requests
    case ownFull = "own-full"
    case ownDelta = "own-delta"
    case sightings, resend, acknowledgement
  }

  package var number: Int64
  package var kind: Kind
  package var fileName: String
  package var sha256: [UInt8]
  /// Why it was refused as a whole; nil where it was processed.
  package var code: Int?
  package var taken: Int
  package var refused: Int
  /// The lines that were refused, as the response file has them.
  package var response: [UInt8]

  package init(
    number: Int64, kind: Kind, fileName: String, sha256: [UInt8], code: Int?, taken: Int,
    refused: Int, response: [UInt8]
  ) {
    self.number = number
    self.kind = kind
    self.fileName = fileName
    self.sha256 = sha256
    self.code = code
    self.taken = taken
    self.refused = refused
    self.response = response
  }
}

extension RegistryTransaction {
  /// The channel on which a resend that was asked for is announced. A hint only.
  package static let filesChannel = "ceir_files"

  /// The newest file of the operator; nil where none was written.
  package func lastReplication(of code: OperatorCode) async throws -> ReplicationRecord? {
    try await connection.query(Self.lastReplication, try await number(of: .only(code))).first?
      .replication()
  }

  /// The newest full file of the operator, and when it was written.
  package func lastFullReplication(
    of code: OperatorCode
  ) async throws -> (record: ReplicationRecord, writtenAt: Instant)? {
    let rows = try await connection.query(Self.lastFull, try await number(of: .only(code)))
    return try rows.first.map { (try $0.replication(), try $0.instant("written_at")) }
  }

  package func replication(
    of code: OperatorCode, number: Int64
  ) async throws -> ReplicationRecord? {
    try await connection.query(
      Self.replicationOfNumber, try await self.number(of: .only(code)), number
    ).first?.replication()
  }

  /// Notes a file before it is shown to the operator. Its number must be above all others, and is
  /// more than the next only where a restored registry has forgotten some: throws
  /// ``StoreError/Code/nameTaken`` otherwise, as where another process has written meanwhile.
  package func record(_ file: ReplicationRecord, of code: OperatorCode) async throws {
    let operatorNumber = try await self.operatorNumber(code)
    try await lockOperator(operatorNumber)
    let added = try await connection.query(
      Self.insertReplication, operatorNumber.number, file.number, file.kind.rawValue,
      file.fileName, file.bytes, PostgreSQLBytes(file.sha256), file.records,
      file.parametersVersion, file.epoch.description, file.after.column, file.upTo.column,
      file.manifest)
    guard !added.isEmpty else {
      throw StoreError(.nameTaken, "The next file of \(code) has another number.")
    }
  }

  /// Files that were recorded, but are not known to have been shown: a crash lay between.
  package func unpublishedReplications(of code: OperatorCode) async throws -> [ReplicationRecord] {
    try await connection.query(Self.unpublished, try await number(of: .only(code)))
      .map { try $0.replication() }
  }

  /// Notes that the operator has been shown a file, for the first time or again.
  package func publishReplication(of code: OperatorCode, number: Int64) async throws {
    try await connection.query(
      Self.publishReplication, try await self.number(of: .only(code)), number)
  }

  /// Files that are still kept and were made before a moment, the oldest first.
  package func replications(
    of code: OperatorCode, madeBefore moment: Instant, limit: Int
  ) async throws -> [ReplicationRecord] {
    try await connection.query(
      Self.keptReplications, try await number(of: .only(code)), PostgreSQLTimestamp(moment), limit
    ).map { try $0.replication() }
  }

  /// Notes that a file is no longer kept.
  package func removeReplication(of code: OperatorCode, number: Int64) async throws {
    try await connection.query(
      Self.removeReplication, try await self.number(of: .only(code)), number)
  }

  /// Notes that the operator wants a file again; false where none of that number is kept.
  package func requestResend(of code: OperatorCode, number: Int64) async throws -> Bool {
    let operatorNumber = try await self.number(of: .only(code))
    let noted = try await connection.execute(Self.requestResend, operatorNumber, number)
    guard noted > 0 else { return false }
    try await connection.query("SELECT pg_notify($1, $2)", Self.filesChannel, code.description)
    return true
  }

  /// Files that are to be handed over again.
  package func resendsDue() async throws -> [(code: OperatorCode, file: ReplicationRecord)] {
    try await connection.query(Self.resendsDue).map { row in
      (try row.operatorCode(), try row.replication())
    }
  }

  /// The number of the last file that was taken from the node; 0 before the first.
  package func lastInboundNumber(of node: NodeIdentity) async throws -> Int64 {
    try await connection.query(Self.lastInbound, node.number).only().int64(0)
  }

  package func inboundFile(of node: NodeIdentity, number: Int64) async throws -> InboundFileRecord?
  {
    try await connection.query(Self.inboundOfNumber, node.number, number).first?.inboundFile()
  }

  /// Notes what became of a file, in the transaction of its effects: of two that take the same file
  /// at once the second fails with ``StoreError/Code/nameTaken``, and its effects with it.
  package func record(_ file: InboundFileRecord, of node: NodeIdentity) async throws {
    let added = try await connection.query(
      Self.insertInbound, node.number, file.number, file.kind.rawValue, file.fileName,
      PostgreSQLBytes(file.sha256), file.code == nil ? "processed" : "refused", file.code,
      file.taken, file.refused, PostgreSQLBytes(file.response))
    guard !added.isEmpty else {
      throw StoreError(.nameTaken, "A file of this number was taken from the node already.")
    }
  }
}

extension PostgreSQLRow {
  func operatorCode() throws -> OperatorCode {
    guard let code = OperatorCode(try string("code")) else {
      throw StoreError(.corrupt, "The database holds an operator's code that cannot be one.")
    }
    return code
  }

  fileprivate func replication() throws -> ReplicationRecord {
    guard let kind = ReplicationRecord.Kind(rawValue: try string("kind")),
      let epoch = Epoch(try string("epoch"))
    else { throw StoreError(.corrupt, "The database holds a file that cannot be one.") }
    return ReplicationRecord(
      number: try int64("number"), kind: kind, fileName: try string("file_name"),
      bytes: try int64("bytes"), sha256: try bytes("sha256"), records: try int64("records"),
      parametersVersion: try int("parameters_version"), epoch: epoch,
      after: Position(UInt64(try int64("after_position"))),
      upTo: Position(UInt64(try int64("up_to_position"))), manifest: try string("manifest"))
  }

  fileprivate func inboundFile() throws -> InboundFileRecord {
    guard let kind = InboundFileRecord.Kind(rawValue: try string("kind")) else {
      throw StoreError(.corrupt, "The database holds a file that cannot be one.")
    }
    return InboundFileRecord(
      number: try int64("number"), kind: kind, fileName: try string("file_name"),
      sha256: try bytes("sha256"), code: try optionalInt("code"), taken: try int("taken"),
      refused: try int("refused"), response: try bytes("response"))
  }
}

extension RegistryTransaction {
  /// Served by the primary key (operator_id, number).
  private static let lastReplication = """
    SELECT number, kind, file_name, bytes, sha256, records, parameters_version, epoch,
           after_position, up_to_position, manifest
      FROM replication
     WHERE operator_id = $1
     ORDER BY number DESC
     LIMIT 1
    """

  /// Served by the index replication_full (operator_id, number).
  private static let lastFull = """
    SELECT number, kind, file_name, bytes, sha256, records, parameters_version, epoch,
           after_position, up_to_position, manifest, written_at
      FROM replication
     WHERE operator_id = $1
       AND kind = 'full'
     ORDER BY number DESC
     LIMIT 1
    """

  /// Served by the primary key (operator_id, number).
  private static let replicationOfNumber = """
    SELECT number, kind, file_name, bytes, sha256, records, parameters_version, epoch,
           after_position, up_to_position, manifest
      FROM replication
     WHERE operator_id = $1
       AND number = $2
    """

  /// Served by the primary key (operator_id, number).
  private static let insertReplication = """
    INSERT INTO replication (operator_id, number, kind, file_name, bytes, sha256, records,
                             parameters_version, epoch, after_position, up_to_position,
                             manifest)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
     WHERE $2 > (SELECT COALESCE(max(number), 0) FROM replication WHERE operator_id = $1)
    RETURNING number
    """

  /// Served by the primary key (operator_id, number).
  private static let requestResend = """
    UPDATE replication
       SET resend_requested_at = now()
     WHERE operator_id = $1
       AND number = $2
       AND removed_at IS NULL
    """

  /// Served by replication_unpublished.
  private static let unpublished = """
    SELECT number, kind, file_name, bytes, sha256, records, parameters_version, epoch,
           after_position, up_to_position, manifest
      FROM replication
     WHERE operator_id = $1
       AND published_at IS NULL
       AND removed_at IS NULL
     ORDER BY number
    """

  /// Served by the primary key (operator_id, number).
  private static let publishReplication = """
    UPDATE replication
       SET published_at = COALESCE(published_at, now()), resend_requested_at = NULL
     WHERE operator_id = $1
       AND number = $2
    """

  /// Served by replication_kept.
  private static let keptReplications = """
    SELECT number, kind, file_name, bytes, sha256, records, parameters_version, epoch,
           after_position, up_to_position, manifest
      FROM replication
     WHERE operator_id = $1
       AND removed_at IS NULL
       AND written_at < $2
     ORDER BY number
     LIMIT $3
    """

  /// Served by the primary key (operator_id, number).
  private static let removeReplication = """
    UPDATE replication
       SET removed_at = now(), resend_requested_at = NULL
     WHERE operator_id = $1
       AND number = $2
    """

  /// Served by replication_resend.
  private static let resendsDue = """
    SELECT o.code, f.number, f.kind, f.file_name, f.bytes, f.sha256, f.records,
           f.parameters_version, f.epoch, f.after_position, f.up_to_position, f.manifest
      FROM replication f
      JOIN operator o USING (operator_id)
     WHERE f.resend_requested_at IS NOT NULL
     ORDER BY f.resend_requested_at
    """

  /// Served by the primary key (node_id, number).
  private static let lastInbound = """
    SELECT COALESCE(max(number), 0) FROM inbound_file WHERE node_id = $1
    """

  /// Served by the primary key (node_id, number).
  private static let inboundOfNumber = """
    SELECT number, kind, file_name, sha256, code, taken, refused, response
      FROM inbound_file
     WHERE node_id = $1
       AND number = $2
    """

  private static let insertInbound = """
    INSERT INTO inbound_file (node_id, number, kind, file_name, sha256, state, code, taken,
                              refused, response)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (node_id, number) DO NOTHING
    RETURNING number
    """
}

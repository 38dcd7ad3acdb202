import PostgreSQL

/// An answer as it was given, to be given again.
package struct KeptAnswer: Sendable, Hashable {
  /// As HTTP has it.
  package var status: Int
  package var contentType: String?
  package var location: String?
  package var body: [UInt8]

  package init(
    status: Int, contentType: String? = nil, location: String? = nil, body: [UInt8] = []
  ) {
    self.status = status
    self.contentType = contentType
    self.location = location
    self.body = body
  }
}

/// Whether a message is a repetition.
package enum MessageRepetition: Sendable, Hashable {
  /// Never seen: what it does and ``RegistryTransaction/remember(_:key:of:)`` belong into the same
  /// transaction.
  case new
  case answered(KeptAnswer)
  /// The key was used with another message.
  case otherMessage
}

extension RegistryTransaction {
  /// Looks whether the node has sent a message under this key before, and takes the key for it
  /// where it has not. Another message with the same key that is under way is waited for.
  ///
  /// `hash` is the SHA-256 of method, path and body. Keys are kept for 7 days. In a transaction of
  /// ``RegistryStore/write(_:)`` alone: what waits must then see what the other has stored.
  package func answered(
    _ key: String, of node: NodeIdentity, hash: [UInt8]
  ) async throws -> MessageRepetition {
    guard Self.isMessageKey(key) else {
      throw StoreError(
        .unfit, "A key has 1 to 64 of A to Z, a to z, 0 to 9, \".\", \"_\" and \"-\".")
    }
    let taken = try await connection.query(
      Self.takeKey, node.number, key, PostgreSQLBytes(hash))
    guard taken.isEmpty else { return .new }
    guard let row = try await connection.query(Self.messageOfKey, node.number, key).first else {
      throw StoreError(.corrupt, "A message was erased while its repetition was answered.")
    }
    guard try row.bytes("hash") == hash else { return .otherMessage }
    return .answered(
      KeptAnswer(
        status: try row.int("status"), contentType: try row.optionalString("content_type"),
        location: try row.optionalString("location"), body: try row.bytes("body")))
  }

  /// Keeps the answer under the key that ``answered(_:of:hash:)`` has taken.
  package func remember(
    _ answer: KeptAnswer, key: String, of node: NodeIdentity
  ) async throws {
    try await connection.query(
      Self.keepAnswer, node.number, key, answer.status, answer.contentType, answer.location,
      PostgreSQLBytes(answer.body))
  }

  package static func isMessageKey(_ key: String) -> Bool {
    (1...64).contains(key.utf8.count)
      && key.utf8.allSatisfy {
        0x30...0x39 ~= $0 || 0x41...0x5A ~= $0 || 0x61...0x7A ~= $0
          || [0x2D, 0x2E, 0x5F].contains($0)
      }
  }
}

extension RegistryTransaction {
  /// Waits where another transaction has inserted the key. Served by the primary key.
  private static let takeKey = """
    INSERT INTO exchange_message (node_id, key, hash) VALUES ($1, $2, $3)
        ON CONFLICT (node_id, key) DO NOTHING
    RETURNING node_id
    """

  /// Served by the primary key (node_id, key).
  private static let messageOfKey = """
    SELECT hash, status, content_type, location, body
      FROM exchange_message
     WHERE node_id = $1
       AND key = $2
    """

  /// Served by the primary key (node_id, key).
  private static let keepAnswer = """
    UPDATE exchange_message
       SET status = $3, content_type = $4, location = $5, body = $6
     WHERE node_id = $1
       AND key = $2
    """
}

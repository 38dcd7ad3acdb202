package import DeviceIdentity
package import DeviceLists
import PostgreSQL

extension RegistryTransaction {
  package func addOperator(
    _ code: OperatorCode, name: String, networks: [PLMN], mode: CheckAnswer, by actor: String
  ) async throws {
    let added = try await connection.query(Self.insertOperator, code.description, name)
    guard let number = try added.first?.int32("operator_id") else {
      throw StoreError(.operatorExists, "There is an operator \(code) already.")
    }
    try await lockNetworks()
    for network in networks {
      let taken = try await connection.query(
        Self.insertNetwork, network.description, number)
      guard !taken.isEmpty else {
        throw StoreError(
          .networkTaken, "The network \(network) belongs to another operator already.")
      }
      try await rescopePairings(of: network, by: actor)
    }
    try await insertPolicy(OperatorPolicy(mode: mode), of: number, by: actor)
  }

  /// - Parameter withRetired: also nodes that have retired.
  package func operatorRecords(withRetired: Bool = false) async throws -> [OperatorRecord] {
    var nodes: [Int32: [NodeRecord]] = [:]
    let rows = try await connection.query(
      Self.nodeRows, TwoMachines.memorySeconds, withRetired)
    for row in rows {
      nodes[try row.int32("operator_id"), default: []].append(try row.nodeRecord())
    }
    return try await connection.query(Self.operatorRows).map { row in
      guard let code = OperatorCode(try row.string("code")) else {
        throw StoreError(.corrupt, "The database holds an operator that cannot be one.")
      }
      return OperatorRecord(
        code: code, name: try row.string("name"), networks: try row.strings("networks"),
        policy: try row.operatorPolicy(), nodes: nodes[try row.int32("operator_id")] ?? [])
    }
  }

  /// What each operator answers to a device on no list.
  package func operatorModes() async throws -> [ScopeNumber: CheckAnswer] {
    var modes: [ScopeNumber: CheckAnswer] = [:]
    for row in try await connection.query(Self.operatorRows) {
      modes[ScopeNumber(try row.int32("operator_id"))] = try row.operatorPolicy().mode
    }
    return modes
  }

  /// The policy in force.
  package func policy(of code: OperatorCode) async throws -> OperatorPolicy {
    try await policy(of: try await operatorNumber(code))
  }

  func policy(of number: ScopeNumber) async throws -> OperatorPolicy {
    try await connection.query(Self.policyRow, number.number).only().operatorPolicy()
  }

  /// A new version, in force from now on.
  package func setPolicy(
    _ policy: OperatorPolicy, of code: OperatorCode, by actor: String
  ) async throws {
    guard (0...Int(Int32.max)).contains(policy.dailyLimit) else {
      throw StoreError(.unfit, "The daily limit is a number from 0 to \(Int32.max).")
    }
    let number = try await operatorNumber(code)
    try await lockOperator(number)
    try await insertPolicy(policy, of: number.number, by: actor)
  }

  private func insertPolicy(
    _ policy: OperatorPolicy, of number: Int32, by actor: String
  ) async throws {
    try await connection.query(
      Self.insertPolicy, number, policy.mode.description, policy.blockRequests.rawValue,
      policy.unblockRequests.rawValue, policy.dailyLimit, actor)
  }

  /// `hash` is the SHA-256 of the token, which itself is kept nowhere. A name holds no `/`.
  package func addToken(
    named name: String, role: StaffRole, hash: [UInt8], expiresAt: Instant?
  ) async throws {
    guard Self.isTokenName(name) else {
      throw StoreError(
        .unfit,
        "A token's name has 1 to \(Self.longestTokenName) characters, none of them / or a control "
          + "character.")
    }
    let added = try await connection.query(
      Self.insertToken, name, role.rawValue, PostgreSQLBytes(hash),
      expiresAt.map(PostgreSQLTimestamp.init))
    guard !added.isEmpty else {
      throw StoreError(.nameTaken, "There is a token named \(name) already: revoke it first.")
    }
  }

  package func tokens() async throws -> [TokenRecord] {
    try await connection.query(Self.tokenRows).map { row in
      TokenRecord(
        number: try row.int32("number"), role: try row.string("role"),
        name: try row.string("name"), createdAt: try row.instant("created_at"),
        expiresAt: try row.optionalInstant("expires_at"),
        revokedAt: try row.optionalInstant("revoked_at"))
    }
  }

  package func revokeToken(named name: String) async throws {
    guard try await connection.execute(Self.revokeStaffToken, name) > 0 else {
      throw StoreError(
        .unknownToken, "There is no token \(name) in force: see `ceir token list`.")
    }
  }

  /// Nil for a token that is unknown, expired or revoked.
  package func staff(tokenHash: [UInt8]) async throws -> Staff? {
    let rows = try await connection.query(Self.staffOfToken, PostgreSQLBytes(tokenHash))
    guard let row = rows.first else { return nil }
    guard let role = StaffRole(rawValue: try row.string("role")) else { return nil }
    return Staff(name: try row.string("name"), role: role)
  }

  package func hasTokens() async throws -> Bool {
    try await connection.query("SELECT EXISTS (SELECT FROM api_token)").only().bool(0)
  }

  static let longestTokenName = 64

  private static func isTokenName(_ name: String) -> Bool {
    (1...longestTokenName).contains(name.unicodeScalars.count)
      && name.unicodeScalars.allSatisfy {
        $0 != "/" && $0.properties.generalCategory != .control
      }
  }
}

extension RegistryTransaction {
  private static let insertOperator = """
    INSERT INTO operator (code, name) VALUES ($1, $2)
        ON CONFLICT (code) DO NOTHING
    RETURNING operator_id
    """

  private static let insertNetwork = """
    INSERT INTO operator_plmn (plmn, operator_id) VALUES ($1, $2)
        ON CONFLICT (plmn) WHERE until IS NULL DO NOTHING
    RETURNING plmn
    """

  private static let insertPolicy = """
    INSERT INTO operator_policy (operator_id, version, mode, block_requests, unblock_requests,
                                 daily_limit, set_by)
    SELECT $1, COALESCE(max(version), 0) + 1, $2, $3, $4, $5, $6
      FROM operator_policy
     WHERE operator_id = $1
    """

  /// Served by the primary key of operator_policy.
  private static let policyRow = """
    SELECT mode, block_requests, unblock_requests, daily_limit
      FROM operator_policy
     WHERE operator_id = $1
     ORDER BY version DESC
     LIMIT 1
    """

  private static let operatorRows = """
    SELECT o.operator_id, o.code, o.name,
           COALESCE((SELECT array_agg(plmn ORDER BY plmn)
                       FROM operator_plmn n
                      WHERE n.operator_id = o.operator_id AND n.until IS NULL),
                    '{}') AS networks,
           p.mode, p.block_requests, p.unblock_requests, p.daily_limit
      FROM operator o
     CROSS JOIN LATERAL (
             SELECT mode, block_requests, unblock_requests, daily_limit
               FROM operator_policy
              WHERE operator_policy.operator_id = o.operator_id
              ORDER BY version DESC
              LIMIT 1) p
     WHERE o.retired_at IS NULL
     ORDER BY o.code
    """

  private static let insertToken = """
    INSERT INTO api_token (name, role, token_hash, expires_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING
    RETURNING token_id
    """

  private static let tokenRows = """
    SELECT token_id AS number, role, name, created_at, expires_at, revoked_at
      FROM api_token
     ORDER BY role, name, number
    """

  private static let revokeStaffToken = """
    UPDATE api_token SET revoked_at = now() WHERE name = $1 AND revoked_at IS NULL
    """

  /// Served by api_token_token_hash_key.
  private static let staffOfToken = """
    SELECT name, role
      FROM api_token
     WHERE token_hash = $1
       AND revoked_at IS NULL
       AND (expires_at IS NULL OR expires_at > now())
    """
}

extension PostgreSQLRow {
  fileprivate func operatorPolicy() throws -> OperatorPolicy {
    guard let mode = CheckAnswer(word: try string("mode")),
      let block = OperatorPolicy.Requests(rawValue: try string("block_requests")),
      let unblock = OperatorPolicy.Requests(rawValue: try string("unblock_requests"))
    else { throw StoreError(.corrupt, "The database holds a policy that cannot be one.") }
    return OperatorPolicy(
      mode: mode, blockRequests: block, unblockRequests: unblock,
      dailyLimit: try int("daily_limit"))
  }
}

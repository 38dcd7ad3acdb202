internal import Foundation
internal import PostgreSQL

#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

/// A private cluster of the installed PostgreSQL in a data directory: reached through a unix
/// socket that only its user can open, never through TCP.
///
/// Several processes may use one cluster: the first starts the server, the others find it
/// running, and the last one to stop stops it. A server that outlived its users, since they
/// were killed, is taken over.
package actor LocalPostgreSQL {
  /// The cluster's own superuser: for set-up and migrations, not for work.
  package static let superuser = "postgres"

  package enum Event: Sendable, Equatable {
    case died
    case restarted
    case restartFailed(LocalPostgreSQLError)
  }

  static let pollInterval: Duration = .milliseconds(10)
  static let superviseInterval: Duration = .milliseconds(100)
  static let longestPause: Duration = .seconds(5)

  let configuration: LocalPostgreSQLConfiguration
  let directory: ClusterDirectory
  /// Kept for life: says that this process needs the server.
  private var use: FileLock?
  private var user: ServerUser?
  private var server: pid_t?
  /// The server, if we started it.
  private var child: ChildProcess?
  private var isStopping = false

  package init(_ configuration: LocalPostgreSQLConfiguration) {
    self.configuration = configuration
    directory = ClusterDirectory(dataDirectory: configuration.dataDirectory)
  }

  /// For libpq. The role is one of the configuration's, or the superuser.
  package nonisolated func connectionString(role: String, database: String) -> String {
    [
      ("host", directory.socketDirectory), ("port", "\(ServerSettings.port)"),
      ("user", role), ("dbname", database),
    ]
    .map { "\($0)='\(Self.escaped($1))'" }
    .joined(separator: " ")
  }

  private static func escaped(_ value: String) -> String {
    value.reduce(into: "") { escaped, character in
      if character == "'" || character == "\\" { escaped.append("\\") }
      escaped.append(character)
    }
  }

  /// The server's process, for who watches it.
  package var processIdentifier: Int32? { server }

  /// Makes the cluster if there is none, starts the server or finds it running, and makes the
  /// roles and databases that are missing. Returns when connections are accepted.
  package func start() async throws(LocalPostgreSQLError) {
    isStopping = false
    try requirePlainNames()
    let user = try ServerUser.current(preferred: configuration.serverUser)
    self.user = user
    try await directory.prepare(for: user)
    try await attachOrStart(user)
    try await makeRolesAndDatabases()
  }

  /// Stops the server unless another process still uses it. Statements under way are ended.
  package func stop() async throws(LocalPostgreSQLError) {
    isStopping = true
    guard let user, let use else { return }
    let lock = try await lockStarting(user)
    defer { withExtendedLifetime(lock) {} }
    defer { self.use = nil }
    guard use.becomeExclusive() else { return }
    try await stopServer()
  }

  /// Starts the server again, with growing pauses, whenever it dies, until `stop` or the task's
  /// cancellation.
  package func supervise(_ report: @Sendable (Event) -> Void = { _ in }) async {
    var pause = Self.superviseInterval
    var wasReported = false
    while !Task.isCancelled, !isStopping {
      // Cut short, the sleep ends the loop.
      try? await Task.sleep(for: pause)
      guard !isStopping, !Task.isCancelled, let user, !isServerAlive else { continue }
      if !wasReported { report(.died) }
      wasReported = true
      do throws(LocalPostgreSQLError) {
        try await attachOrStart(user)
        report(.restarted)
        wasReported = false
        pause = Self.superviseInterval
      } catch {
        report(.restartFailed(error))
        pause = min(pause * 2, Self.longestPause)
      }
    }
  }
}

extension LocalPostgreSQL {
  private func lockStarting(_ user: ServerUser) async throws(LocalPostgreSQLError) -> FileLock {
    try await FileLock.exclusive(
      directory.startLock, owner: user,
      within: configuration.startTimeout + configuration.stopTimeout)
  }

  private var isServerAlive: Bool {
    if let child { return child.isRunning }
    return server.map(ServerProcesses.isPostgres) ?? false
  }

  private func attachOrStart(_ user: ServerUser) async throws(LocalPostgreSQLError) {
    let lock = try await lockStarting(user)
    defer { withExtendedLifetime(lock) {} }
    guard !isStopping else { return }
    if use == nil { use = try FileLock.shared(directory.usersLock, owner: user) }
    do throws(LocalPostgreSQLError) {
      let deadline = ContinuousClock.now + configuration.startTimeout
      if let running = PostmasterFile.read(directory.postmasterFile), running.isServed {
        try await attach(running, user, deadline)
      } else {
        try await startServer(user, deadline)
      }
    } catch {
      if server == nil { use = nil }
      throw error
    }
  }

  private func attach(
    _ running: PostmasterFile, _ user: ServerUser, _ deadline: ContinuousClock.Instant
  ) async throws(LocalPostgreSQLError) {
    if running.pid != child?.pid { child = nil }
    server = running.pid
    try await waitUntilReady(deadline)
    if try writeSettings(user) { try await reload(running.pid, deadline) }
  }

  private func startServer(
    _ user: ServerUser, _ deadline: ContinuousClock.Instant
  ) async throws(LocalPostgreSQLError) {
    child = nil
    server = nil
    let installation = try await Installation.find(
      override: configuration.binDirectory, clusterVersion: directory.version)
    if directory.version == nil {
      try await directory.initialize(installation, user, isDurable: configuration.isDurable)
    }
    _ = try writeSettings(user)
    while true {
      try await endOrphans(deadline)
      directory.removeMisleadingFiles()
      do throws(LocalPostgreSQLError) {
        return try await startOnce(installation, user, deadline)
      } catch {
        guard error.isHinderedByOrphans, ContinuousClock.now < deadline else { throw error }
        // Cut short, the sleep only tries sooner.
        try? await Task.sleep(for: Self.superviseInterval)
      }
    }
  }

  private func startOnce(
    _ installation: Installation, _ user: ServerUser, _ deadline: ContinuousClock.Instant
  ) async throws(LocalPostgreSQLError) {
    unlink(directory.startOutput)
    let command = Command(
      path: installation.postgres,
      arguments: ServerSettings.commandLine(
        dataDirectory: directory.data, socketDirectory: directory.socketDirectory),
      user: user)
    let child = ChildProcess(pid: try command.start(outputFile: directory.startOutput))
    self.child = child
    server = child.pid
    do throws(LocalPostgreSQLError) {
      try await waitUntilReady(deadline)
    } catch {
      // Half started is not started: the next attempt begins from nothing.
      if child.isRunning { kill(child.pid, SIGQUIT) }
      server = nil
      throw error
    }
  }

  private func writeSettings(_ user: ServerUser) throws(LocalPostgreSQLError) -> Bool {
    let settings = ServerSettings(
      logDirectory: directory.log, isDurable: configuration.isDurable,
      majorVersion: directory.version)
    return try directory.write(
      settings, clients: user.clients, roles: [Self.superuser] + configuration.roles, owner: user)
  }

  private func waitUntilReady(
    _ deadline: ContinuousClock.Instant
  ) async throws(LocalPostgreSQLError) {
    while true {
      if let file = PostmasterFile.read(directory.postmasterFile), file.isReady,
        file.pid == server
      {
        return
      }
      // A child is `setpriv` before it is the server.
      guard child?.isRunning ?? isServerAlive else {
        throw LocalPostgreSQLError(
          .startFailed,
          "PostgreSQL did not start in \(directory.root); its log is in the same place",
          logText: directory.lastWords)
      }
      guard ContinuousClock.now < deadline else {
        throw LocalPostgreSQLError(
          .startTimeout, "PostgreSQL did not accept connections in time",
          logText: directory.lastWords)
      }
      // Cut short, the sleep only looks sooner; a start that was begun is seen through.
      try? await Task.sleep(for: Self.pollInterval)
    }
  }
}

extension LocalPostgreSQL {
  /// Ends what a killed server left behind, first politely.
  private func endOrphans(
    _ deadline: ContinuousClock.Instant
  ) async throws(LocalPostgreSQLError) {
    let patience = ContinuousClock.now + .seconds(3)
    var signal = SIGQUIT
    while true {
      let orphans = ServerProcesses.working(in: directory.data)
      if orphans.isEmpty { return }
      guard ContinuousClock.now < deadline else {
        throw LocalPostgreSQLError(
          .startTimeout, "Processes of a killed PostgreSQL server do not end in \(directory.root)")
      }
      if ContinuousClock.now > patience { signal = SIGKILL }
      for orphan in orphans { kill(orphan, signal) }
      // Cut short, the sleep only looks sooner.
      try? await Task.sleep(for: Self.pollInterval)
    }
  }

  /// First fast (statements are rolled back), then immediate (recovery at the next start).
  private func stopServer() async throws(LocalPostgreSQLError) {
    guard let server else { return }
    for (signal, limit) in [(SIGINT, configuration.stopTimeout), (SIGQUIT, .seconds(10))] {
      kill(server, signal)
      let deadline = ContinuousClock.now + limit
      while isServerAlive, ContinuousClock.now < deadline {
        // Cut short, the sleep only looks sooner; a stop that was begun is seen through.
        try? await Task.sleep(for: Self.pollInterval)
      }
      if !isServerAlive {
        self.server = nil
        child = nil
        return
      }
    }
    throw LocalPostgreSQLError(.stopFailed, "PostgreSQL (process \(server)) does not stop")
  }

  /// Rules of access were changed under a running server: waits until it has read them.
  private func reload(
    _ pid: pid_t, _ deadline: ContinuousClock.Instant
  ) async throws(LocalPostgreSQLError) {
    try await asSuperuser { connection in
      let sql = "SELECT pg_conf_load_time()"
      let before = try await connection.query(sql).only().timestamp(0)
      kill(pid, SIGHUP)
      while try await connection.query(sql).only().timestamp(0) == before {
        guard ContinuousClock.now < deadline else { return }
        try await Task.sleep(for: Self.pollInterval)
      }
    }
  }

  private func requirePlainNames() throws(LocalPostgreSQLError) {
    let names = configuration.roles + configuration.databases.flatMap { [$0.name, $0.owner] }
    for name in names {
      let isPlain = name.utf8.allSatisfy { byte in
        byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      }
      guard isPlain, !name.isEmpty, name.utf8.count < 64 else {
        throw LocalPostgreSQLError(
          .setUpFailed, "A role or database may have only a-z, 0-9 and _ in its name")
      }
    }
  }

  private func makeRolesAndDatabases() async throws(LocalPostgreSQLError) {
    try await asSuperuser { [configuration] connection in
      // Released with the connection. Two processes that start at once make everything once.
      try await connection.query("SELECT pg_advisory_lock(7348201152)")
      for role in configuration.roles {
        let known = try await connection.query("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
        if known.isEmpty {
          try await connection.script("CREATE ROLE \(quotedIdentifier(role)) LOGIN")
        }
      }
      for database in configuration.databases {
        let known = try await connection.query(
          "SELECT 1 FROM pg_database WHERE datname = $1", database.name)
        guard known.isEmpty else { continue }
        try await connection.script(
          """
          CREATE DATABASE \(quotedIdentifier(database.name)) \
          OWNER \(quotedIdentifier(database.owner))
          """)
      }
    }
  }

  private func asSuperuser(
    _ body: @Sendable (PostgreSQLConnection) async throws -> Void
  ) async throws(LocalPostgreSQLError) {
    let pool = PostgreSQLPool(
      PostgreSQLConfiguration(
        connectionString: connectionString(role: Self.superuser, database: "postgres")),
      limits: PostgreSQLPool.Limits(maxConnections: 1))
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await pool.withConnection(body))
    } catch {
      outcome = .failure(error)
    }
    await pool.close()
    guard case .failure(let error) = outcome else { return }
    throw LocalPostgreSQLError(
      .setUpFailed, "The database's roles could not be set up", logText: String(reflecting: error))
  }
}

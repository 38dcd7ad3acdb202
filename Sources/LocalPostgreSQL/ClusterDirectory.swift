internal import Foundation

#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

/// Where everything of the cluster lies.
struct ClusterDirectory: Sendable {
  /// A socket's path holds 108 bytes on Linux; the file's own name is counted in.
  static let socketPathByteLimit = 100
  static let socketName = ".s.PGSQL.\(ServerSettings.port)"

  let root: String
  let socketDirectory: String

  var data: String { root + "/data" }
  var newData: String { root + "/data.new" }
  var log: String { root + "/log" }
  var startOutput: String { root + "/start.log" }
  var startLock: String { root + "/start.lock" }
  var usersLock: String { root + "/users.lock" }
  var postmasterFile: String { data + "/postmaster.pid" }

  /// The socket lies beside the data unless its path would be too long or hold characters that
  /// a connection string or the server's settings read as something else.
  init(dataDirectory: String) {
    let absolute = URL(fileURLWithPath: dataDirectory).resolvingSymlinksInPath().path
    root = absolute == "/" ? "/postgresql" : absolute + "/postgresql"
    let beside = root + "/socket"
    let isPlain = beside.utf8.allSatisfy { byte in
      let character = Character(Unicode.Scalar(byte))
      return character.isASCII && (character.isLetter || character.isNumber)
        || "/._-".contains(character)
    }
    let bytes = beside.utf8.count + 1 + Self.socketName.utf8.count
    socketDirectory =
      isPlain && bytes <= Self.socketPathByteLimit ? beside : Self.shortDirectory(for: root)
  }

  /// The same for every process that uses this cluster: hence no XDG_RUNTIME_DIR, which differs
  /// between a terminal, cron and systemd.
  private static func shortDirectory(for root: String) -> String {
    let hash = root.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { hash, byte in
      (hash ^ UInt64(byte)) &* 0x0100_0000_01b3
    }
    let name = String(hash, radix: 16)
    return geteuid() == 0 ? "/run/ceir-\(name)" : "/tmp/ceir-\(geteuid())-\(name)"
  }

  /// Makes what is missing, for nobody but the server's user.
  func prepare(for user: ServerUser) async throws(LocalPostgreSQLError) {
    do {
      try FileManager.default.createDirectory(
        atPath: (root as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    } catch {
      throw LocalPostgreSQLError(
        .badDirectory, "\(root) cannot be made", logText: "\(error)")
    }
    for path in [root, log, socketDirectory] { try makePrivate(path, user) }
    try await requireReachable(user)
  }

  private func makePrivate(_ path: String, _ user: ServerUser) throws(LocalPostgreSQLError) {
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw failure("\(path) cannot be made")
    }
    // Nothing may stand in the place that somebody else put there: /tmp belongs to all.
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("\(path) is not a directory of ours") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure("\(path) cannot be examined") }
    guard status.st_uid == user.uid || status.st_uid == geteuid() else {
      throw LocalPostgreSQLError(
        .badDirectory, "\(path) belongs to another user than \(user.name)")
    }
    if user.stepsDown, fchown(descriptor, user.uid, user.gid) != 0 {
      throw failure("\(path) cannot be given to user \(user.name)")
    }
    guard fchmod(descriptor, 0o700) == 0 else { throw failure("\(path) cannot be made private") }
  }

  private func failure(_ explanation: String) -> LocalPostgreSQLError {
    LocalPostgreSQLError(.badDirectory, explanation, logText: String(cString: strerror(errno)))
  }

  /// As root we reach everything; the server does not.
  private func requireReachable(_ user: ServerUser) async throws(LocalPostgreSQLError) {
    guard user.stepsDown else { return }
    let test = Command(path: "/usr/bin/test", arguments: ["-x", root], user: user)
    guard try await test.output(within: .seconds(10)).status != 0 else { return }
    let culprit = parents.first { !Self.isTraversable($0, by: user) } ?? root
    throw LocalPostgreSQLError(
      .unreachableDirectory,
      """
      User \(user.name), who runs PostgreSQL, cannot pass through \(culprit): allow it \
      (chmod o+x \(culprit)) or choose another data directory
      """)
  }

  private var parents: [String] {
    var path = ""
    return root.split(separator: "/").dropLast().map { part in
      path += "/" + part
      return path
    }
  }

  private static func isTraversable(_ path: String, by user: ServerUser) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return false }
    if status.st_uid == user.uid { return status.st_mode & 0o100 != 0 }
    if status.st_gid == user.gid { return status.st_mode & 0o010 != 0 }
    return status.st_mode & 0o001 != 0
  }
}

extension ClusterDirectory {
  /// `nil` before the first start.
  var version: Int? {
    guard let data = FileManager.default.contents(atPath: data + "/PG_VERSION") else { return nil }
    return Int(String(decoding: data, as: UTF8.self).prefix { $0.isNumber })
  }

  /// Makes the cluster beside its place and moves it there, so that none is ever half made.
  func initialize(
    _ installation: Installation, _ user: ServerUser, isDurable: Bool
  ) async throws(LocalPostgreSQLError) {
    try? FileManager.default.removeItem(atPath: newData)  // left by an attempt that was killed
    let initdb = Command(
      path: installation.initdb,
      arguments: [
        "-D", newData, "-U", LocalPostgreSQL.superuser, "-E", "UTF8", "--locale=C",
        "--lc-ctype=C.UTF-8", "--data-checksums", "--auth-local=peer", "--auth-host=reject",
      ] + (isDurable ? [] : ["--no-sync"]),
      user: user)
    let outcome = try await initdb.output(within: .seconds(300))
    guard outcome.status == 0, rename(newData, data) == 0 else {
      throw LocalPostgreSQLError(
        .initializationFailed, "initdb failed in \(root)", logText: outcome.text)
    }
  }

  /// True if anything changed.
  func write(
    _ settings: ServerSettings, clients: [String], roles: [String], owner: ServerUser
  ) throws(LocalPostgreSQLError) -> Bool {
    let files = [
      "postgresql.conf": settings.postgresqlConf,
      "pg_hba.conf": ServerSettings.pgHba,
      "pg_ident.conf": ServerSettings.pgIdent(clients: clients, roles: roles),
    ]
    var hasChanged = false
    for (name, text) in files {
      let path = data + "/" + name
      let wanted = Data(text.utf8)
      if FileManager.default.contents(atPath: path) == wanted { continue }
      try replace(path, wanted, owner)
      hasChanged = true
    }
    return hasChanged
  }

  private func replace(
    _ path: String, _ content: Data, _ owner: ServerUser
  ) throws(LocalPostgreSQLError) {
    do {
      try content.write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw LocalPostgreSQLError(.badDirectory, "\(path) cannot be written", logText: "\(error)")
    }
    guard chmod(path, 0o600) == 0, !owner.stepsDown || chown(path, owner.uid, owner.gid) == 0
    else { throw failure("\(path) cannot be given to user \(owner.name)") }
  }

  /// Removes lock files of a killed server that a new one would take for a living one's, since
  /// their number is in use again. All others it judges better itself: through them it finds
  /// children of the killed server by their shared memory.
  func removeMisleadingFiles() {
    for path in [postmasterFile, socketDirectory + "/" + Self.socketName + ".lock"] {
      if PostmasterFile.read(path)?.isNumberTaken ?? false { unlink(path) }
    }
  }

  /// The last words of a server that did not start.
  var lastWords: String {
    let logs = (try? FileManager.default.contentsOfDirectory(atPath: log)) ?? []
    let newest = logs.map { log + "/" + $0 }.max { Self.changed($0) < Self.changed($1) }
    return [startOutput, newest].compactMap { $0 }
      .compactMap { FileManager.default.contents(atPath: $0) }
      .flatMap { String(decoding: $0.suffix(4096), as: UTF8.self).split(separator: "\n") }
      .last { $0.contains("FATAL") || $0.contains("PANIC") }
      .map(String.init) ?? ""
  }

  private static func changed(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mtim.tv_sec : 0
  }
}

/// The text of the cluster's configuration files, written anew at each start.
struct ServerSettings {
  static let identityMap = "ceir"

  let logDirectory: String
  let isDurable: Bool
  /// Nil: not known.
  let majorVersion: Int?

  /// The first that can compress its log with LZ4: pglz took a third of the time of an import.
  private static let firstWithLZ4 = 15

  private var walCompression: String {
    majorVersion.map { $0 >= Self.firstWithLZ4 } == true ? "lz4" : "on"
  }

  /// A cluster that need not last serves the tests, which bring many databases at once.
  private var mostConnections: Int { isDurable ? 100 : 500 }

  /// Statements, parameters and DETAIL stay out of the server's log, and so do refusals of
  /// single statements, which quote values: those reach us as errors.
  var postgresqlConf: String {
    """
    # Written at each start. Settings of your own belong into local.conf beside this file.
    max_connections = \(mostConnections)
    shared_buffers = 128MB
    work_mem = 16MB
    maintenance_work_mem = 256MB
    max_wal_size = 2GB
    min_wal_size = 256MB
    wal_compression = \(walCompression)
    checkpoint_timeout = 15min
    random_page_cost = 1.1
    jit = off
    timezone = 'UTC'
    log_timezone = 'UTC'
    datestyle = 'iso, ymd'
    lc_messages = 'C'
    password_encryption = 'scram-sha-256'
    logging_collector = on
    log_directory = \(Self.quoted(logDirectory))
    log_filename = 'postgresql-%a.log'
    log_file_mode = 0600
    log_rotation_age = 1d
    log_rotation_size = 0
    log_truncate_on_rotation = on
    log_line_prefix = '%m [%p] %q%u@%d '
    log_min_messages = log
    log_min_error_statement = panic
    log_error_verbosity = terse
    log_parameter_max_length = 0
    log_parameter_max_length_on_error = 0
    log_checkpoints = off
    \(isDurable ? "fsync = on" : "fsync = off\nfull_page_writes = off")
    include_if_exists = 'local.conf'

    """
  }

  /// Only the socket, only by the system user's name, never by trust.
  static var pgHba: String {
    """
    # Written at each start.
    local all all peer map=\(identityMap)
    local replication all peer map=\(identityMap)

    """
  }

  static func pgIdent(clients: [String], roles: [String]) -> String {
    var lines = ["# Written at each start."]
    for client in clients {
      for role in roles {
        lines.append("\(identityMap) \(doubleQuoted(client)) \(doubleQuoted(role))")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// What local.conf cannot change: no TCP, our socket, our rules of access.
  static func commandLine(dataDirectory: String, socketDirectory: String) -> [String] {
    [
      "-D", dataDirectory, "-c", "listen_addresses=", "-c", "port=\(port)",
      "-c", "unix_socket_directories=\(socketDirectory)", "-c", "unix_socket_permissions=0700",
      "-c", "hba_file=\(dataDirectory)/pg_hba.conf",
      "-c", "ident_file=\(dataDirectory)/pg_ident.conf",
    ]
  }

  /// Only a part of the socket's name.
  static let port = 5432

  private static func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }

  private static func doubleQuoted(_ text: String) -> String { "\"\(text)\"" }
}

/// What the embedded cluster is made of.
package struct LocalPostgreSQLConfiguration: Sendable {
  package struct Database: Sendable, Equatable {
    package let name: String
    package let owner: String

    package init(name: String, owner: String) {
      self.name = name
      self.owner = owner
    }
  }

  /// The cluster is kept in `postgresql` below it.
  package var dataDirectory: String
  /// Login roles, made when they are missing. The system users that may connect (see
  /// `ServerUser`) may take any of them.
  package var roles: [String]
  package var databases: [Database]
  /// Where `postgres` and `initdb` are; otherwise looked for.
  package var binDirectory: String?
  /// The system user that the server runs as if we are root; otherwise `postgres` or `nobody`.
  package var serverUser: String?
  package var startTimeout: Duration
  package var stopTimeout: Duration
  /// False only for tests: what was confirmed survives the server's end, but not the machine's.
  package var isDurable: Bool

  package init(
    dataDirectory: String, roles: [String] = [], databases: [Database] = [],
    binDirectory: String? = nil, serverUser: String? = nil,
    startTimeout: Duration = .seconds(60), stopTimeout: Duration = .seconds(30),
    isDurable: Bool = true
  ) {
    self.dataDirectory = dataDirectory
    self.roles = roles
    self.databases = databases
    self.binDirectory = binDirectory
    self.serverUser = serverUser
    self.startTimeout = startTimeout
    self.stopTimeout = stopTimeout
    self.isDurable = isDurable
  }
}

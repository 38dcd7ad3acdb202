import ArgumentParser
import CEIRService
import Configuration
import DeviceLists
import Logging

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve the registry until SIGTERM or SIGINT.",
    discussion: """
      EXAMPLES
        ceir serve
        ceir serve --http-port 8080 --data-directory /var/lib/openceir/ceir
        CEIR_DATABASE_URL='host=db1,db2 dbname=ceir target_session_attrs=read-write' ceir serve
      """)

  @OptionGroup var registry: RegistryOptions

  @Option(help: "The loopback address to listen on.")
  var httpHost: String?

  @Option(help: "The port to listen on; 0 takes a free one.")
  var httpPort: String?

  @Option(help: "Where nodes are answered over TLS: HOST:PORT; port 0 takes a free one.")
  var exchangeListen: String?

  @Option(help: "Where lu-status alone is answered at full speed: HOST:PORT.")
  var statusListen: String?

  @Option(help: "The name of a new registry, such as XA.")
  var registryName: String?

  @Option(help: "The time zone of a new registry, which defines its days.")
  var timeZone: String?

  @Option(
    help: "trace, debug, info, notice, warning, error or critical.",
    completion: .list(Logger.Level.allCases.map(\.rawValue)))
  var logLevel = "info"

  func validate() throws {
    guard Logger.Level(rawValue: logLevel) != nil else {
      throw ValidationError(
        "--log-level must be one of "
          + "\(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))."
      )
    }
  }

  func run() async throws {
    var flags: [AbsoluteConfigKey: ConfigValue] = [:]
    for (key, value) in [
      ("http.host", httpHost), ("http.port", httpPort), ("exchange.listen", exchangeListen),
      ("exchange.statusListen", statusListen), ("registry.name", registryName),
      ("registry.timeZone", timeZone),
    ] {
      if let value {
        flags[AbsoluteConfigKey(ConfigKey(key))] = .init(.string(value), isSecret: false)
      }
    }
    let settings = try await registry.settings(flags)
    LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    var logger = Logger(label: "ceir")
    logger.logLevel = Logger.Level(rawValue: logLevel) ?? .info
    try await CEIRServer(settings: settings, logger: logger).run { addresses in
      Terminal.output("ceir: ready at \(addresses)")
    }
  }
}

struct Migrate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bring the database to this program's schema; safe to repeat.",
    discussion: """
      EXAMPLES
        ceir migrate
        ceir migrate --database-url 'host=/run/postgresql dbname=ceir'
      """)

  @OptionGroup var registry: RegistryOptions

  @Option(help: "text or json.") var format = OutputFormat.text

  @Option(help: "The name of a new registry, such as XA.")
  var registryName: String?

  @Option(help: "The time zone of a new registry, which defines its days.")
  var timeZone: String?

  private struct Answer: Encodable {
    let appliedVersions: [Int]
    let registry: String
    let isNewRegistry: Bool
  }

  func run() async throws {
    var settings = try await registry.settings()
    if let registryName { settings.registryName = registryName }
    if let timeZone { settings.timeZone = timeZone }
    let database = try await RegistryDatabase.open(settings)
    let preparation: RegistryDatabase.Preparation
    do {
      preparation = try await database.prepare(settings)
    } catch {
      try await database.close()
      throw error
    }
    try await database.close()
    let answer = Answer(
      appliedVersions: preparation.appliedVersions,
      registry: preparation.registryName.description, isNewRegistry: preparation.isNewRegistry)
    if format == .json { return try Terminal.json(answer) }
    let versions = answer.appliedVersions.map(String.init).joined(separator: ", ")
    Terminal.output(
      versions.isEmpty
        ? "Registry \(answer.registry): the schema is up to date."
        : "Registry \(answer.registry): applied schema version \(versions).")
  }
}

import ArgumentParser
import CEIRService
import Configuration
import DeviceLists
import Foundation
import ListExchange
import Logging
import PostgreSQL
import RegistryStore
import SystemPackage

enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case text, json }

/// Where the registry is: the options that every command has.
struct RegistryOptions: ParsableArguments {
  @Option(help: "A JSON file with settings.", completion: .file(extensions: ["json"]))
  var config: String?

  @Option(
    help: "Where the registry keeps its files; an absolute path.", completion: .directory)
  var dataDirectory: String?

  @Option(
    help: "A PostgreSQL connection string; without it a cluster is kept in the data directory.")
  var databaseURL: String?

  func settings(
    _ flags: [AbsoluteConfigKey: ConfigValue] = [:]
  ) async throws -> CEIRSettings {
    var values = flags
    if let dataDirectory {
      values["data.directory"] = .init(.string(dataDirectory), isSecret: false)
    }
    if let databaseURL { values["database.url"] = .init(.string(databaseURL), isSecret: true) }
    var providers: [any ConfigProvider] = [
      InMemoryProvider(name: "flags", values: values),
      EnvironmentVariablesProvider().prefixKeys(with: "ceir"),
    ]
    if let config { providers.append(try await Self.file(config)) }
    let known = CEIRSettings.keys.map(CEIRSettings.variable)
    for name in ProcessInfo.processInfo.environment.keys.sorted()
    where name.hasPrefix(CEIRSettings.environmentPrefix) && !known.contains(name) {
      throw ValidationError(
        "The environment has \(name), which is no setting: there are "
          + "\(known.joined(separator: ", ")).")
    }
    return try CEIRSettings(from: ConfigReader(providers: providers))
  }

  private static func file(_ path: String) async throws -> any ConfigProvider {
    do {
      let content = try Data(contentsOf: URL(fileURLWithPath: path))
      let names = names(in: try object(in: content, of: path), below: "")
      try CEIRSettings.refuseUnknown(names, in: "The settings file \(path)")
      return try await FileProvider<JSONSnapshot>(filePath: FilePath(path))
    } catch let error as SettingsError {
      throw error
    } catch let error as ValidationError {
      throw error
    } catch {
      throw ValidationError(
        "The settings file \(path) cannot be read as JSON: check the path and its content.")
    }
  }

  private static func object(in content: Data, of path: String) throws -> Any {
    do {
      return try JSONSerialization.jsonObject(with: content)
    } catch {
      guard let fault = content.withUnsafeBytes({ JSONFault(in: $0) }) else { throw error }
      throw ValidationError(
        "The settings file \(path):\(fault.line):\(fault.column) is no JSON: line \(fault.line), "
          + "column \(fault.column): \(fault.what).")
    }
  }

  /// `http.port` for `{"http": {"port": 8080}}`.
  private static func names(in value: Any, below path: String) -> [String] {
    guard let object = value as? [String: Any] else { return [path] }
    return object.flatMap { name, inner in
      names(in: inner, below: path.isEmpty ? name : "\(path).\(name)")
    }
  }

  /// The settings, for a command that needs a registry that was made before.
  private func settingsOfRegistry() async throws -> CEIRSettings {
    let settings = try await settings()
    guard try RegistryDatabase.exists(settings) else {
      throw SettingsError(
        "There is no registry in \(settings.dataDirectory): check data.directory, or make one "
          + "with `ceir serve` or `ceir migrate`.")
    }
    return settings
  }

  /// Opens the registry for one command. It is brought to this program's schema by `ceir migrate`
  /// or `ceir serve` alone.
  func withRegistry<Value>(
    longWork: Bool = false, _ body: (RegistryStore) async throws -> Value
  ) async throws -> Value {
    let database = try await RegistryDatabase.open(settingsOfRegistry())
    do {
      let owner = database.ownerPool()
      try await Migrator(pool: owner).verify()
      await owner.close()
      let pool = database.pool(
        role: .service, connections: 2, statementTimeout: longWork ? nil : .seconds(30))
      let value = try await body(RegistryStore(pool: pool))
      await pool.close()
      try await database.close()
      return value
    } catch {
      try await database.close()
      throw error
    }
  }
}

extension RegistryOptions {
  /// Only the owner of the schema may begin an epoch.
  func beginEpoch(_ epoch: Epoch, reason: String) async throws {
    let database = try await RegistryDatabase.open(settingsOfRegistry())
    do {
      let pool = database.ownerPool()
      try await Migrator(pool: pool).verify()
      try await pool.transaction { connection in
        try await connection.script(RegistryStore.searchPath)
        let registry = RegistryTransaction(connection: connection)
        try await registry.begin(epoch, reason: reason)
        try await registry.recordActivity(
          "epoch.new", by: Actor.name, about: ["epoch": epoch.description, "reason": reason])
      }
      await pool.close()
      try await database.close()
    } catch {
      try await database.close()
      throw error
    }
  }
}

/// Who acts, for the activity trail: the system's user at this terminal.
enum Actor {
  static var name: String { "cli:\(NSUserName())" }
}

package import Configuration
import DeviceLists
import Glibc

/// Why a setting is refused: one sentence that says what to change.
package struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// What a CEIR is told at its start. Each setting is read from the flags, then from the
/// environment (`CEIR_HTTP_PORT` for `http.port`), then from the file of `--config`.
package struct CEIRSettings: Sendable, Equatable {
  package var dataDirectory = "/var/lib/openceir/ceir"
  /// A libpq connection string; nil keeps a cluster in the data directory.
  package var databaseURL: String?
  package var httpHost = "127.0.0.1"
  package var httpPort = 8080
  /// Where nodes are answered, over TLS with certificates on both sides.
  package var exchangeListen = ListenAddress(host: "127.0.0.1", port: 8443)
  /// Where `lu-status` alone is answered, at full speed.
  package var statusListen = ListenAddress(host: "127.0.0.1", port: 8444)
  /// Nil: the folder `pki` in the data directory.
  package var pkiDirectory: String?
  /// Of the files that are exchanged; nil: the folder `files` in the data directory.
  package var filesDirectory: String?
  /// How long the registry's own files stay there.
  package var filesKeepDays = 30
  /// Of a new registry `XA` and `UTC` where nothing is said; of an existing one they must agree.
  package var registryName: String?
  package var timeZone: String?
  /// How far back the journal reaches: a node that was away for longer takes a snapshot.
  package var journalHorizonDays = 90
  /// How long subscribers are kept: of sightings, and of requests that are decided.
  package var subscriberDays = 90

  /// Limits of what is kept for some days.
  static let daysAllowed = 1...3_650

  package static let keys = [
    "data.directory", "database.url", "exchange.listen", "exchange.statusListen",
    "files.directory", "files.keepDays", "http.host", "http.port", "journal.horizonDays",
    "pki.directory", "registry.name", "registry.timeZone", "subscribers.days",
  ]

  package init() {}

  package init(from reader: ConfigReader) throws(SettingsError) {
    if let directory = reader.text("data.directory") {
      guard directory.hasPrefix("/") else {
        throw SettingsError(
          "data.directory must be an absolute path, and \"\(directory)\" is not: write it from "
            + "the root, such as /var/lib/openceir/ceir.")
      }
      dataDirectory = directory
    }
    if let url = reader.text("database.url") {
      guard !url.isEmpty else {
        throw SettingsError(
          "database.url is empty: give a PostgreSQL connection string, or leave the setting out "
            + "to keep an embedded cluster.")
      }
      databaseURL = url
    }
    try readExchange(reader)
    if let host = reader.text("http.host") { httpHost = try Self.loopback(host) }
    if let port = reader.text("http.port") { httpPort = try Self.port(port, "http.port") }
    if let days = reader.text("journal.horizonDays") {
      journalHorizonDays = try Self.days(days, "journal.horizonDays")
    }
    if let days = reader.text("subscribers.days") {
      subscriberDays = try Self.days(days, "subscribers.days")
    }
    if let name = reader.text("registry.name") {
      guard RegistryName(name) != nil else {
        throw SettingsError(
          "registry.name must have 1 to \(RegistryName.longestText) printable ASCII characters "
            + "without spaces, commas, quotes and backslashes, such as XA.")
      }
      registryName = name
    }
    if let zone = reader.text("registry.timeZone") {
      guard !zone.isEmpty else {
        throw SettingsError(
          "registry.timeZone is empty: give a name such as Africa/Tunis, or UTC.")
      }
      timeZone = zone
    }
  }

  private mutating func readExchange(_ reader: ConfigReader) throws(SettingsError) {
    if let text = reader.text("exchange.listen") {
      exchangeListen = try ListenAddress(text, "exchange.listen")
    }
    if let text = reader.text("exchange.statusListen") {
      statusListen = try ListenAddress(text, "exchange.statusListen")
    }
    pkiDirectory = try Self.directory(reader, "pki.directory", "pki")
    filesDirectory = try Self.directory(reader, "files.directory", "files")
    if let days = reader.text("files.keepDays") {
      filesKeepDays = try Self.days(days, "files.keepDays")
    }
  }

  private static func directory(
    _ reader: ConfigReader, _ key: String, _ example: String
  ) throws(SettingsError) -> String? {
    guard let directory = reader.text(ConfigKey(key)) else { return nil }
    guard directory.hasPrefix("/") else {
      throw SettingsError(
        "\(key) must be an absolute path, and \"\(directory)\" is not: write it from the root, "
          + "such as /var/lib/openceir/ceir/\(example).")
    }
    return directory
  }

  /// The registry's own certificates and keys.
  package var certificateDirectory: String { pkiDirectory ?? "\(dataDirectory)/pki" }

  package static let environmentPrefix = "CEIR_"

  /// Throws for a name that is no setting: a slip of the pen must not be passed over. `names` are
  /// keys of a file such as `http.port`.
  package static func refuseUnknown(
    _ names: some Sequence<String>, in place: String
  ) throws(SettingsError) {
    for name in names.sorted() where !keys.contains(name) {
      throw SettingsError(
        "\(place) has \(name), which is no setting: the settings are "
          + "\(keys.joined(separator: ", ")).")
    }
  }

  /// `CEIR_HTTP_PORT` for `http.port`.
  package static func variable(_ key: String) -> String {
    var name = environmentPrefix
    for character in key {
      if character == "." || character.isUppercase { name += "_" }
      if character != "." { name += character.uppercased() }
    }
    return name
  }

  /// Without certificates the interfaces are for this machine alone.
  private static func loopback(_ host: String) throws(SettingsError) -> String {
    guard host == "::1" || host == "localhost" || host.hasPrefix("127.") else {
      throw SettingsError(
        "http.host must be a loopback address such as 127.0.0.1, and \"\(host)\" is not: tokens "
          + "without TLS must not leave this machine.")
    }
    return host
  }

  private static func days(_ text: String, _ key: String) throws(SettingsError) -> Int {
    guard let days = Int(text), daysAllowed.contains(days) else {
      throw SettingsError(
        "\(key) must be a number of days from \(daysAllowed.lowerBound) to "
          + "\(daysAllowed.upperBound), and \"\(text)\" is not.")
    }
    return days
  }

  private static func port(_ text: String, _ key: String) throws(SettingsError) -> Int {
    guard let port = Int(text), (0...65_535).contains(port) else {
      throw SettingsError("\(key) must be a number from 0 to 65535, and \"\(text)\" is not.")
    }
    return port
  }
}

extension ConfigReader {
  /// The setting as text, whether the file has it as text or as a number.
  fileprivate func text(_ key: ConfigKey) -> String? {
    string(forKey: key) ?? int(forKey: key).map(String.init)
  }
}

extension CEIRSettings {
  /// A registry keeps its name and its days.
  func expect(name: String, timeZone: String) throws(SettingsError) {
    if let wanted = registryName, wanted != name {
      throw SettingsError(
        "registry.name is \(wanted), but the database holds the registry \(name): leave the "
          + "setting out or name another database.")
    }
    if let wanted = self.timeZone, wanted != timeZone {
      throw SettingsError(
        "registry.timeZone is \(wanted), but the registry \(name) has its days in \(timeZone): "
          + "leave the setting out.")
    }
  }
}

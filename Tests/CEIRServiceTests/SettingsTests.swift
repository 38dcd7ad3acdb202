import CEIRService
import Configuration
import Foundation
import Testing

/// Nonsense is refused with a sentence that says what to change. The sentences are kept in
/// `Golden/settings.txt`, so that a change of one is seen as a change of the interface.
struct SettingsTests {
  private static let cases: [(key: String, value: String)] = [
    ("data.directory", "relative/path"), ("data.directory", ""), ("database.url", ""),
    ("http.host", "0.0.0.0"), ("http.host", "ceir.example"), ("http.port", "seventy"),
    ("http.port", "65536"), ("http.port", "-1"), ("registry.name", ""),
    ("registry.name", "two words"), ("registry.name", "a,b"), ("registry.timeZone", ""),
    ("journal.horizonDays", "0"), ("journal.horizonDays", "a month"), ("subscribers.days", "3651"),
  ]

  @Test func `each nonsense gets its sentence`() throws {
    let lines = Self.cases.map { key, value in
      do {
        _ = try CEIRSettings(from: Self.reader([key: value]))
        return "\(key)=\(value): accepted"
      } catch {
        return "\(key)=\(value): \(error)"
      }
    }
    let golden = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Golden/settings.txt")
    let expected = try String(contentsOf: golden, encoding: .utf8)
    #expect(lines.joined(separator: "\n") + "\n" == expected)
  }

  @Test func `a name that is no setting is refused`() {
    let error = #expect(throws: SettingsError.self) {
      try CEIRSettings.refuseUnknown(["http.port", "http.prot"], in: "The file x")
    }
    #expect(error?.description.contains("has http.prot, which is no setting") == true)
    #expect(CEIRSettings.variable("registry.timeZone") == "CEIR_REGISTRY_TIME_ZONE")
  }

  @Test func `what is not set has a default and what is set is taken`() throws {
    #expect(try CEIRSettings(from: Self.reader([:])) == CEIRSettings())
    var expected = CEIRSettings()
    expected.dataDirectory = "/srv/ceir"
    expected.databaseURL = "host=db"
    expected.httpPort = 0
    expected.registryName = "TN"
    expected.timeZone = "Africa/Tunis"
    expected.journalHorizonDays = 1
    expected.subscriberDays = 30
    let values = [
      "data.directory": "/srv/ceir", "database.url": "host=db", "http.port": "0",
      "registry.name": "TN", "registry.timeZone": "Africa/Tunis", "journal.horizonDays": "1",
      "subscribers.days": "30",
    ]
    #expect(try CEIRSettings(from: Self.reader(values)) == expected)
  }

  private static func reader(_ values: [String: String]) -> ConfigReader {
    var provided: [AbsoluteConfigKey: ConfigValue] = [:]
    for (key, value) in values {
      provided[AbsoluteConfigKey(ConfigKey(key))] = .init(.string(value), isSecret: false)
    }
    return ConfigReader(provider: InMemoryProvider(values: provided))
  }
}

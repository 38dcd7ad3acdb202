import Configuration
import Foundation
import SystemPackage

/// The texts that were set, from all sources, before any of them is understood.
struct SettingsText {
  /// A configuration file of a node is a page; this is a book.
  private static let longestFileBytes = 1 << 20

  /// An IMSI has more, whatever is left out of it; a port has fewer.
  private static let longestShownNumber = 5
  private static let longestShownText = 80

  private let reader: ConfigReader
  var sentences: [String] = []

  init(_ sources: SettingsSources) async throws(SettingsError) {
    let flags = Dictionary(
      uniqueKeysWithValues: sources.flags.map { key, text in
        (AbsoluteConfigKey(ConfigKey(key.rawValue)), ConfigValue(.string(text), isSecret: false))
      })
    let prefix = SettingsSources.variablePrefix
    let environment = Dictionary(
      uniqueKeysWithValues: sources.environment.map { name, text in
        (String(name.dropFirst(prefix.count)), text)
      })
    var providers: [any ConfigProvider] = [
      InMemoryProvider(name: "flags", values: flags),
      EnvironmentVariablesProvider(environmentVariables: environment),
    ]
    sentences = Self.unknownVariables(in: sources.environment)
    if let path = sources.file {
      sentences += try Self.unknownKeys(inFile: path)
      do {
        providers.append(
          try await FileProvider<JSONSnapshot>(filePath: FilePath(path)))
      } catch {
        throw Self.unusable(path)
      }
    }
    reader = ConfigReader(providers: providers)
  }

  /// What was set, as text; a file may also hold numbers and truth values.
  func text(_ key: SettingKey) -> String? {
    let name = ConfigKey(key.rawValue)
    if let text = reader.string(forKey: name) { return text }
    if let number = reader.int(forKey: name) { return String(number) }
    if let number = reader.double(forKey: name) { return String(number) }
    if let truth = reader.bool(forKey: name) { return String(truth) }
    return reader.stringArray(forKey: name)?.joined(separator: ",")
  }

  /// All that was set.
  var texts: [SettingKey: String] {
    var texts: [SettingKey: String] = [:]
    for key in SettingKey.allCases { texts[key] = text(key) }
    return texts
  }

  mutating func complain(_ key: SettingKey, _ text: String, _ advice: String) {
    sentences.append("\(key.rawValue) is \"\(Self.shown(text))\": \(advice) \(key.places)")
  }

  /// What was given, as a sentence about it may say it in a log: a long number in the wrong place
  /// may be an IMSI.
  static func shown(_ text: String) -> String {
    var (shown, number) = ("", "")
    for character in text + "\n" {
      if character.isNumber {
        number.append(character)
      } else {
        shown += number.count > longestShownNumber ? "…" : number
        shown.append(character)
        number = ""
      }
    }
    return String(shown.dropLast().prefix(longestShownText))
  }

  private static func unknownVariables(in environment: [String: String]) -> [String] {
    let known = Set(SettingKey.allCases.map(\.variable) + [SettingsSources.fileVariable])
    return environment.keys.filter { !known.contains($0) }.sorted().map {
      "\(shown($0)) is no setting: correct its name or remove it from the environment"
    }
  }

  private static func unusable(_ path: String) -> SettingsError {
    SettingsError(sentences: [
      "the configuration file \(path) cannot be read: it must be there and hold one JSON object"
    ])
  }

  private static func unknownKeys(inFile path: String) throws(SettingsError) -> [String] {
    guard
      let data = FileManager.default.contents(atPath: path), data.count <= longestFileBytes,
      let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    else { throw unusable(path) }
    let known = Set(SettingKey.allCases.map(\.rawValue))
    return names(in: object, under: "").filter { !known.contains($0) }.sorted().map {
      "\"\(shown($0))\" in \(path) is no setting: correct its name or remove it"
    }
  }

  private static func names(in object: [String: Any], under prefix: String) -> [String] {
    object.flatMap { name, value in
      if let inner = value as? [String: Any] {
        return names(in: inner, under: prefix + name + ".")
      }
      return [prefix + name]
    }
  }
}

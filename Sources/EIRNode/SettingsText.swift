import Configuration
import Foundation
import SystemPackage

/// The texts that were set, from all sources, before any of them is understood.
struct SettingsText {
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
      sentences += Self.unknownKeys(in: try SettingsFile(path: path), path)
      do {
        providers.append(
          try await FileProvider<JSONSnapshot>(filePath: FilePath(path)))
      } catch {
        throw SettingsError(sentences: [
          "the configuration file \(path) cannot be used: texts, numbers, truth values, and lists "
            + "or objects of them are what settings are made of"
        ])
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

  private static func unknownKeys(in file: SettingsFile, _ path: String) -> [String] {
    let known = Set(SettingKey.allCases.map(\.rawValue))
    return file.names.filter { !known.contains($0) }.sorted().map {
      "\"\(shown($0))\" in \(path) is no setting: correct its name or remove it"
    }
  }
}

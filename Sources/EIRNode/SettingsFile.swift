import Foundation
import ListExchange

/// The JSON file with settings, looked at before it is understood, so that what is wrong in it can
/// be said with its place.
struct SettingsFile {
  /// A configuration file of a node is a page; this is a book.
  private static let longestBytes = 1 << 20

  private let object: [String: Any]

  init(path: String) throws(SettingsError) {
    let data = try Self.content(of: path)
    do {
      guard let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
        throw SettingsError(sentences: [
          "the configuration file \(path) must hold one JSON object, in braces"
        ])
      }
      self.object = object
    } catch let error as SettingsError {
      throw error
    } catch {
      throw Self.broken(path, data)
    }
  }

  /// Settings in an object within the file are named with a point between: `ceir.url`.
  var names: [String] { Self.names(in: object, under: "") }

  private static func names(in object: [String: Any], under prefix: String) -> [String] {
    object.flatMap { name, value in
      if let inner = value as? [String: Any] {
        return names(in: inner, under: prefix + name + ".")
      }
      return [prefix + name]
    }
  }

  private static func content(of path: String) throws(SettingsError) -> Data {
    let reason: String
    do {
      let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      defer { try? handle.close() }
      let data = try handle.read(upToCount: longestBytes + 1) ?? Data()
      if data.count <= longestBytes { return data }
      reason = "it has more than \(longestBytes) bytes"
    } catch {
      reason = self.reason(error)
    }
    throw SettingsError(sentences: ["the configuration file \(path) cannot be read: \(reason)"])
  }

  private static func reason(_ error: any Error) -> String {
    switch (error as? CocoaError)?.code {
    case .fileNoSuchFile?, .fileReadNoSuchFile?: "there is no such file"
    case .fileReadNoPermission?: "this user may not read it"
    default: "it must be a file that this user may read"
    }
  }

  private static func broken(_ path: String, _ data: Data) -> SettingsError {
    let fault = data.withUnsafeBytes { JSONFault(in: $0) }
    let place = fault.map { "\(path):\($0.line):\($0.column)" } ?? path
    return SettingsError(sentences: [
      "the configuration file \(place) is no JSON: "
        + (fault.map { "line \($0.line), column \($0.column): \($0.what)" }
          ?? "it must hold one JSON object")
    ])
  }
}

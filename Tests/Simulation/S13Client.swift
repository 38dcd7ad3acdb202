package import Foundation

/// python-diameter, a Diameter stack that is not ours, as a network element.
package enum S13Client {
  package static let programs = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Programs")

  /// Ten thousand questions take half a minute on a machine that has nothing else to do.
  private static let longestRunSeconds = 300

  package struct Question: Codable, Hashable, Sendable {
    package var imei: String
    package var softwareVersion: String?
    package var imsi: String?
    /// Of a Proxy-Info that is to come back, hexadecimal.
    package var proxyState: String?

    package init(
      imei: String, softwareVersion: String? = nil, imsi: String? = nil, proxyState: String? = nil
    ) {
      self.imei = imei
      self.softwareVersion = softwareVersion
      self.imsi = imsi
      self.proxyState = proxyState
    }
  }

  /// What python-diameter has found in an answer.
  package struct Answer: Decodable, Hashable, Sendable {
    package let result: UInt32?
    package let experimental: UInt32?
    /// Of the experimental result.
    package let vendor: UInt32?
    package let status: UInt32?
    package let originHost: String
    package let originRealm: String
    package let sessionState: UInt32
    package let isError: Bool
    package let isSameSession: Bool
    package let proxyStates: [String]
    package let routeRecords: [String]

    /// The answer's word, where all that says it is there and nothing else. TS 29.272, 7.2.20.
    package var word: String? {
      switch (result, experimental, vendor, status) {
      case (2001, nil, nil, 0): "white"
      case (2001, nil, nil, 1): "black"
      case (2001, nil, nil, 2): "grey"
      case (nil, 5422, 10_415, nil): "unknown"
      default: nil
      }
    }
  }

  package static func write(_ questions: [Question], to path: String) throws {
    var lines = Data()
    for question in questions { lines += try JSONEncoder().encode(question) + Data("\n".utf8) }
    try lines.write(to: URL(filePath: path))
  }

  package static func answers(in text: String) throws -> [Answer] {
    try text.split(separator: "\n").map {
      try JSONDecoder().decode(Answer.self, from: Data($0.utf8))
    }
  }

  /// - Parameters:
  ///   - peer: the Origin-Host of the other end.
  ///   - address: `127.0.0.1:3868`.
  ///   - folder: receives what the program reads and writes.
  package static func ask(
    _ questions: [Question], of peer: String, at address: String, in folder: String
  ) async throws -> [Answer] {
    let file = "\(folder)/questions-\(UUID().uuidString).ndjson"
    try write(questions, to: file)
    let python = try await PythonTools.directory("diameter") + "/python"
    let result = try await Program.run(
      python, [programs.path + "/s13_client.py", "\(peer)@\(address)", file], in: folder,
      within: longestRunSeconds)
    guard result.status == 0 else { throw NotInTime(description: result.errors) }
    return try answers(in: result.output)
  }
}

/// Python programs that tests use, in a directory of their own.
package enum PythonTools {
  /// The directory of the commands, which are installed where they are missing.
  package static func directory(_ name: String) async throws -> String {
    let script = S13Client.programs.appending(path: "../../../Scripts/python-tools")
    let result = try await Program.run(script.standardizedFileURL.path, [name])
    guard result.status == 0 else { throw NotInTime(description: result.errors) }
    return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// For a test that is skipped without them.
  package static func has(_ name: String) async -> Bool {
    do {
      _ = try await directory(name)
      return true
    } catch {
      print("skipped: \(error)")
      return false
    }
  }
}

internal import Foundation

/// The PostgreSQL programs that are installed.
struct Installation: Sendable {
  let binDirectory: String
  let majorVersion: Int

  var postgres: String { binDirectory + "/postgres" }
  var initdb: String { binDirectory + "/initdb" }

  static let debianRoot = "/usr/lib/postgresql"

  /// The programs for a cluster of `clusterVersion`, or the newest for a new cluster.
  static func find(
    override: String?, clusterVersion: Int?
  ) async throws(LocalPostgreSQLError) -> Installation {
    var best: Installation?
    for directory in candidates(override) {
      guard let found = await inspect(directory) else { continue }
      if found.majorVersion == clusterVersion { return found }
      if found.majorVersion > best?.majorVersion ?? 0 { best = found }
    }
    guard let best else {
      let place = override.map { " in \($0)" } ?? ""
      throw LocalPostgreSQLError(
        .notInstalled, "PostgreSQL is not installed\(place): install the package postgresql")
    }
    guard let clusterVersion else { return best }
    throw LocalPostgreSQLError(
      .versionMismatch,
      """
      The database was made by PostgreSQL \(clusterVersion), but \(best.majorVersion) is \
      installed: install postgresql-\(clusterVersion), or convert it with pg_upgrade
      """)
  }

  private static func candidates(_ override: String?) -> [String] {
    if let override { return [override] }
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: debianRoot)) ?? []
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    return versions.map { "\(debianRoot)/\($0)/bin" } + path.split(separator: ":").map(String.init)
  }

  private static func inspect(_ directory: String) async -> Installation? {
    let files = FileManager.default
    guard files.isExecutableFile(atPath: directory + "/postgres"),
      files.isExecutableFile(atPath: directory + "/initdb")
    else { return nil }
    // A `postgres` that cannot say its version is no candidate.
    let outcome = try? await Command(path: directory + "/postgres", arguments: ["--version"])
      .output(within: .seconds(10))
    guard let outcome, outcome.status == 0 else { return nil }
    return majorVersion(in: outcome.text).map {
      Installation(binDirectory: directory, majorVersion: $0)
    }
  }

  /// From "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)".
  static func majorVersion(in text: String) -> Int? {
    guard let end = text.range(of: "(PostgreSQL) ")?.upperBound else { return nil }
    return Int(text[end...].prefix { $0.isASCII && $0.isNumber })
  }
}

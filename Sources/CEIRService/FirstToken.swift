import Glibc
import RegistryStore

/// The administrator's token that is made at the first start, in a file that only its owner reads.
enum FirstToken {
  static let name = "first-administrator"

  static func path(in directory: String) -> String { "\(directory)/administrator.token" }

  /// Nil where the registry has tokens already. The file is written before the hash is stored: a
  /// crash between leaves a file that the next start replaces, never a token that nobody has.
  static func make(in directory: String, store: RegistryStore) async throws -> String? {
    if try await store.read({ try await $0.hasTokens() }) { return nil }
    var generator = SystemRandomNumberGenerator()
    let secret = Secret(using: &generator)
    let path = path(in: directory)
    try write(secret.text + "\n", to: path)
    try await store.write { registry in
      try await registry.addToken(
        named: name, role: .administrator, hash: secret.hash, expiresAt: nil)
      try await registry.recordActivity(
        "token.create", by: "ceir", about: ["name": name, "role": "administrator"])
    }
    return path
  }

  private static func write(_ text: String, to path: String) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw FileError("The file \(path) cannot be written.") }
    defer { close(file) }
    let bytes = Array(text.utf8)
    guard fchmod(file, 0o600) == 0, Glibc.write(file, bytes, bytes.count) == bytes.count,
      fsync(file) == 0
    else { throw FileError("The file \(path) cannot be written.") }
  }
}

/// A file that could not be used, with the reason of the system.
package struct FileError: Error, CustomStringConvertible {
  package let description: String

  init(_ what: String) { description = "\(what) \(String(cString: strerror(errno)))." }
}

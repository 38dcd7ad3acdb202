import Glibc
package import RegistryFiles

/// A file that is taken in: it is read twice, for its hash and for its lines, and must be the same
/// both times. Standard input is written to a file first, which has no name and so is gone when
/// this is, however the program ends.
package final class InputFile: Sendable {
  /// What stands for standard input.
  package static let standardInput = "-"

  /// As reports call it and the import is recorded.
  package let name: String
  /// Where it can be opened, more than once.
  package let path: String
  package let sha256: [UInt8]
  private let state: FileState
  private let kept: NamelessFile?

  /// - Parameter temporaryDirectory: where standard input is kept meanwhile.
  package init(path: String, temporaryDirectory: String) throws {
    if path == Self.standardInput {
      let file = try NamelessFile(in: temporaryDirectory)
      try file.write(from: STDIN_FILENO)
      kept = file
      self.path = file.path
      name = "standard input"
    } else {
      kept = nil
      self.path = path
      name = FileName.last(of: path)
    }
    state = try FileState(path: self.path)
    sha256 = try FileHash.sha256(of: self.path)
  }

  /// Its bytes, unpacked.
  package func source(limits: FileLimits = FileLimits()) throws(RegistryFileError) -> ByteSource {
    try ByteSource.opened(path: path, fileName: name, limits: limits)
  }

  package func requireUnchanged() throws {
    guard try FileState(path: path) == state else { throw UnreadableFile(changed: name) }
  }
}

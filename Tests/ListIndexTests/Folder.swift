import Glibc
import Testing

@testable import ListIndex

/// A directory that goes when its test ends.
final class Folder {
  let path: String

  init() throws {
    var name = Array(("/tmp/list-index-" + String(repeating: "X", count: 6)).utf8CString)
    try #require(mkdtemp(&name) != nil)
    path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { Self.remove(path) }

  static func / (folder: Folder, name: String) -> String { folder.path + "/" + name }

  private static func remove(_ path: String) {
    for name in (try? FileSystem.names(in: path)) ?? [] {
      let item = path + "/" + name
      if unlink(item) != 0 { remove(item) }
    }
    rmdir(path)
  }
}

func contents(_ path: String) throws -> [UInt8] {
  try MappedFile(path: path).withBytes { Array($0) }
}

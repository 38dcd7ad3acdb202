import Foundation

/// A file of the repository, as the guards look at it.
struct SourceFile: Sendable {
  /// From the top of the repository, with `/`.
  let path: String
  let text: String
  var isExecutable = false

  var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
  var isSwift: Bool { path.hasSuffix(".swift") }

  /// `ListIndex` of `Sources/ListIndex/…` and `ListIndexTests` of `Tests/ListIndexTests/…`.
  var target: Substring? {
    let parts = path.split(separator: "/")
    return parts.count > 2 && ["Sources", "Tests"].contains(parts[0]) ? parts[1] : nil
  }
}

enum Repository {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// What is written by hand; everything else at the top is built, fetched or hidden.
  static let folders = ["Sources", "Tests", "Schema", "Scripts"]

  static func files() throws -> [SourceFile] {
    var files: [SourceFile] = []
    for folder in folders { try collect(root.appending(path: folder), path: folder, into: &files) }
    for name in ["Package.swift", "README.md"] {
      let file = root.appending(path: name)
      guard FileManager.default.fileExists(atPath: file.path) else { continue }
      files.append(SourceFile(path: name, text: try String(contentsOf: file, encoding: .utf8)))
    }
    return files.sorted { $0.path < $1.path }
  }

  static func folders(in folder: String) throws -> [String] {
    let url = root.appending(path: folder)
    guard FileManager.default.fileExists(atPath: url.path) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: url.path).filter {
      !$0.hasPrefix(".") && isFolder(url.appending(path: $0))
    }.sorted()
  }

  private static func collect(_ url: URL, path: String, into files: inout [SourceFile]) throws {
    guard FileManager.default.fileExists(atPath: url.path) else { return }
    for name in try FileManager.default.contentsOfDirectory(atPath: url.path)
    where !name.hasPrefix(".") && name != "__pycache__" {
      let (url, path) = (url.appending(path: name), "\(path)/\(name)")
      if isFolder(url) {
        try collect(url, path: path, into: &files)
      } else if let text = try? String(contentsOf: url, encoding: .utf8) {
        // What is no text, such as a recorded message, has no lines to look at.
        files.append(
          SourceFile(
            path: path, text: text,
            isExecutable: FileManager.default.isExecutableFile(atPath: url.path)))
      }
    }
  }

  private static func isFolder(_ url: URL) -> Bool {
    (try? url.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) ?? false
  }
}

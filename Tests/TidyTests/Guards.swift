/// What a guard objects to.
struct Finding: Hashable, CustomStringConvertible {
  let path: String
  let line: Int
  let problem: String

  var description: String { "\(path):\(line): \(problem)" }
}

/// The rules that the code base keeps about itself. Each takes a file and knows no other.
enum Guards {
  static let longestFile = 400
  static let longestLine = 100
  /// The one function of the tests that may wait for time to pass: it polls a condition.
  static let pollingFile = "Tests/Simulation/Eventually.swift"

  static func imports(
    _ file: SourceFile, allowed table: [String: Set<String>] = Layout.mayImport
  ) -> [Finding] {
    guard file.isSwift, file.path.hasPrefix("Sources/"), let target = file.target else { return [] }
    guard let allowed = table[String(target)] else {
      return [
        Finding(path: file.path, line: 1, problem: "\(target) is not in the table of imports")
      ]
    }
    return findings(in: file) { line in
      guard let module = importedModule(line) else { return nil }
      let isAllowed = allowed.contains(module) || (module == "DeviceIdentity" && module != target)
      return isAllowed ? nil : "\(target) may not import \(module)"
    }
  }

  /// `NIOCore` of `package import struct NIOCore.ByteBuffer`.
  static func importedModule(_ line: Substring) -> String? {
    var words = line.split(separator: " ").drop { word in
      word.hasPrefix("@")
        || ["public", "package", "internal", "fileprivate", "private"].contains(word)
    }
    guard words.popFirst() == "import" else { return nil }
    let kinds: Set<Substring> = [
      "struct", "class", "enum", "protocol", "func", "var", "let", "typealias", "actor",
    ]
    if let first = words.first, kinds.contains(first) { words = words.dropFirst() }
    return words.first.flatMap { $0.split(separator: ".").first }.map(String.init)
  }

  static func length(
    _ file: SourceFile, allowances: [String: String] = Layout.longFiles
  ) -> [Finding] {
    guard file.isSwift else { return [] }
    let count = file.lines.count - (file.text.hasSuffix("\n") ? 1 : 0)
    let isAllowed = allowances[file.path].map { !$0.isEmpty } ?? false
    let long =
      count >= longestFile && !isAllowed
      ? [Finding(path: file.path, line: count, problem: "has \(count) lines")] : []
    return long + findings(in: file) { $0.count > longestLine ? "is a line too long" : nil }
  }

  private static let leftovers: [(text: String, where: @Sendable (SourceFile) -> Bool)] = [
    ("FIX" + "ME", { _ in true }), ("TO" + "DO", { _ in true }), ("XX" + "X", { _ in true }),
    ("try" + "!", { $0.isSwift }), ("as" + "!", { $0.isSwift }),
    ("fatal" + "Error(", { $0.isSwift }), ("catch" + " {}", { $0.isSwift }),
    ("print" + "(", { isLibrary($0) }), ("debug" + "Print(", { isLibrary($0) }),
    ("du" + "mp(", { isLibrary($0) }),
  ]

  static func leftovers(_ file: SourceFile) -> [Finding] {
    guard !file.path.contains("/Data/") else { return [] }
    return findings(in: file) { line in
      leftovers.first { $0.where(file) && holds(line, word: $0.text) }.map { "holds \($0.text)" }
    }
  }

  /// A target of `Sources` that is no command: the commands have lower-case names.
  private static func isLibrary(_ file: SourceFile) -> Bool {
    file.isSwift && file.path.hasPrefix("Sources/") && file.target?.first?.isUppercase == true
  }

  /// Whether `text` stands in `line` and is no end of a longer word, as in `blueprint(`.
  private static func holds(_ line: Substring, word text: String) -> Bool {
    var rest = line
    while let found = rest.firstRange(of: text) {
      let before = rest[..<found.lowerBound].last
      if !(before.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false) { return true }
      rest = rest[found.upperBound...]
    }
    return false
  }

  /// `@unchecked Sendable` and its like need a sentence of proof on the line above.
  static func unproven(_ file: SourceFile) -> [Finding] {
    guard file.isSwift else { return [] }
    let words = ["@unchecked " + "Sendable", "nonisolated" + "(unsafe)"]
    var previous: Substring = ""
    return findings(in: file) { line in
      defer { previous = line }
      guard !isComment(line), let word = words.first(where: { line.contains($0) }) else {
        return nil
      }
      return isComment(previous) ? nil : "has \(word) and no sentence of proof above it"
    }
  }

  private static func isComment(_ line: Substring) -> Bool {
    line.drop { $0 == " " }.hasPrefix("//")
  }

  static func markdownInSources(_ file: SourceFile) -> [Finding] {
    guard file.path.hasPrefix("Sources/"), file.path.hasSuffix(".md") else { return [] }
    if file.path.contains(".docc/") { return [] }
    return [Finding(path: file.path, line: 1, problem: "is Markdown: it belongs in Schema")]
  }

  /// Folders of a developer's machine; what a reader has, such as `/var/lib`, may be named.
  static func machinePaths(_ file: SourceFile) -> [Finding] {
    let paths = ["/tmp/" + "oc", "/wo" + "rk/", "/ho" + "me/", "/ro" + "ot/", "/Us" + "ers/"]
    return findings(in: file) { line in
      paths.first { line.contains($0) }.map { "names the folder \($0)" }
    }
  }

  static func sleeps(_ file: SourceFile) -> [Finding] {
    guard file.isSwift, file.path.hasPrefix("Tests/"), file.path != pollingFile else { return [] }
    let calls = ["Task.sl" + "eep", "usl" + "eep(", "sl" + "eep(", "nanosl" + "eep("]
    return findings(in: file) { line in
      calls.first { holds(line, word: $0) }.map { "calls \($0): wait for a condition" }
    }
  }

  static func script(_ file: SourceFile) -> [Finding] {
    guard file.path.hasPrefix("Scripts/"), file.text.hasPrefix("#!") else {
      return file.path.hasPrefix("Scripts/") && !file.path.dropFirst(8).contains(".")
        ? [Finding(path: file.path, line: 1, problem: "does not say what runs it (#!)")] : []
    }
    let executable =
      file.isExecutable
      ? [] : [Finding(path: file.path, line: 1, problem: "is not executable")]
    let isShell = file.lines[0].hasSuffix("sh")
    let isStrict = file.lines.contains("set -euo pipefail")
    return isShell && !isStrict
      ? executable + [Finding(path: file.path, line: 1, problem: "lacks set -euo pipefail")]
      : executable
  }

  private static func findings(
    in file: SourceFile, _ problem: (Substring) -> String?
  ) -> [Finding] {
    file.lines.enumerated().compactMap { index, line in
      problem(line).map { Finding(path: file.path, line: index + 1, problem: $0) }
    }
  }
}

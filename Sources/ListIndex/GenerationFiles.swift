/// The names of the files of one generation.
struct GenerationFiles {
  enum Kind: String {
    case index, log
    /// An index file that was refused and set aside. Nothing reads it.
    case refused
  }

  let index: String
  let log: String
  let refused: String

  init(_ directory: String, _ generation: UInt64) {
    index = "\(directory)/\(generation).index"
    log = "\(directory)/\(generation).log"
    refused = "\(directory)/\(generation).refused"
  }

  /// Nil for a file that is of no generation: somebody may keep another log beside the list.
  static func parse(_ name: String) -> (generation: UInt64, kind: Kind)? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let generation = UInt64(parts[0]),
      let kind = Kind(rawValue: String(parts[1]))
    else { return nil }
    return (generation, kind)
  }

  static func isUnfinished(_ name: String) -> Bool {
    name.hasSuffix(".part") || name.hasSuffix(".new")
  }

  static func generations(_ kind: Kind, among names: [String]) -> [UInt64] {
    names.compactMap { name in
      parse(name).flatMap { $0.kind == kind ? $0.generation : nil }
    }
  }

  /// Removes what is older than a generation, and what was refused before `newest` began. What
  /// cannot be removed harms nothing.
  static func removeSuperseded(
    in directory: String, keepingFrom oldest: UInt64, newest: UInt64
  ) {
    guard let names = try? FileSystem.names(in: directory) else { return }
    for name in names {
      guard let (generation, kind) = parse(name) else { continue }
      if generation < (kind == .refused ? newest : oldest) {
        FileSystem.removeIfPossible(directory + "/" + name)
      }
    }
  }
}

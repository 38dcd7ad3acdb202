/// How a node takes the files of its registry, which something else brings and carries away.
package struct FilesSettings: Hashable, Sendable {
  /// What becomes of a file that is no longer needed.
  package enum Done: String, Hashable, Sendable, CaseIterable {
    case remove
    /// It moves into `done` beside the others.
    case keep
  }

  /// A mirror of the registry's outbox.
  package var directory: String
  /// Where the node puts its own files for the registry; nil where it speaks by HTTP alone.
  package var outbox: String?
  package var pollSeconds = 10
  package var done = Done.remove

  package init(directory: String) { self.directory = directory }

  static let pollSecondsAllowed = 1...3_600
}

import DeviceLists
import Glibc
import ListIndex
import RegistryStore

/// Writes the index files of all scopes in one pass over the entries.
///
/// `@unchecked Sendable`: used by one task, which waits for each call.
final class ListsBuilder: @unchecked Sendable {
  private let registry: RegistryName
  private var writers: [ScopeNumber: Writer] = [:]

  private struct Writer {
    let scope: Scope
    let path: String
    let file: IndexFileWriter
    var digest = ListDigest.zero
    var canonical: [EntryClass: CanonicalEntry] = [:]
  }

  init(directory: String, registry: RegistryName, operators: OperatorDirectory) throws {
    self.registry = registry
    for scope in [Scope.all] + operators.all.map(Scope.only) {
      guard let number = operators.number(scope) else { continue }
      let path = "\(directory)/\(scope).new"
      writers[number] = Writer(scope: scope, path: path, file: try IndexFileWriter(path: path))
    }
  }

  func append(
    _ page: [(subject: Subject, scope: ScopeNumber, entryClass: EntryClass)]
  ) throws {
    for entry in page {
      guard var writer = writers.removeValue(forKey: entry.scope) else { continue }
      let listed =
        writer.scope == .all
        ? ListedClass(all: entry.entryClass) : ListedClass(own: entry.entryClass)
      try writer.file.append(entry.subject, listed)
      var canonical =
        writer.canonical[entry.entryClass]
        ?? CanonicalEntry(scope: writer.scope, entryClass: entry.entryClass)
      writer.digest += canonical.digest(of: entry.subject)
      writer.canonical[entry.entryClass] = canonical
      writers[entry.scope] = writer
    }
  }

  func finish(
    epoch: Epoch, position: Position, into indexes: [ScopeNumber: ListIndex]
  ) throws {
    for (number, writer) in writers {
      let digests =
        writer.scope == .all
        ? ScopeDigests(all: writer.digest) : ScopeDigests(own: writer.digest)
      _ = try writer.file.finish(
        head: IndexHead(
          registry: registry, content: .scope(writer.scope), epoch: epoch, position: position,
          digests: digests, issuedAt: .now))
      try indexes[number]?.install(snapshotFile: writer.path)
    }
  }
}

import Crypto
package import DeviceLists
import Glibc
package import RegistryFiles
package import RegistryStore

/// A file from an authority, taken into the registry: all of its good lines or, if the option says
/// so, nothing as soon as one is refused. Nothing is half-applied: it is one transaction.
package struct FileImport: Sendable {
  /// How the file is to be taken.
  package struct Options: Sendable {
    package var source: String
    package var actor: String
    /// One refused line refuses the file.
    package var isStrict = false
    package var imeiForm = StolenListFile.IMEIForm.dialled
    /// The day by which a date is in the future.
    package var today: CivilDate

    package init(source: String, actor: String, today: CivilDate) {
      self.source = source
      self.actor = actor
      self.today = today
    }
  }

  package enum Outcome: Sendable {
    case imported(ImportOutcome, FileReport)
    /// The same bytes were imported before: nothing was done.
    case repeated(number: Int64, at: Instant)
    /// Refused as a whole: nothing was done.
    case refused(FileReport)
  }

  /// Hears of each refused line, and now and then how many lines have been read.
  package struct Listener {
    package var refused: (Refusal) throws -> Void
    package var read: (Int) -> Void

    package init(
      refused: @escaping (Refusal) throws -> Void = { _ in },
      read: @escaping (Int) -> Void = { _ in }
    ) {
      self.refused = refused
      self.read = read
    }
  }

  /// Lines between two words to the listener.
  static let readInterval = 10_000

  private let store: RegistryStore
  private let options: Options

  package init(store: RegistryStore, options: Options) {
    self.store = store
    self.options = options
  }

  package func importTACs(path: String, listener: Listener) async throws -> Outcome {
    try await run(.tac, path: path) { registry, file in
      let rows = try TACRows(path: path, listener: listener)
      let outcome = try await registry.importTACs(by: options.actor, next: rows.next) {
        file(rows.report)
      }
      return (outcome, rows.report)
    }
  }

  package func importStolen(path: String, listener: Listener) async throws -> Outcome {
    try await run(.stolen, path: path) { registry, file in
      let rows = try StolenRows(
        path: path, today: options.today, form: options.imeiForm, listener: listener)
      let outcome = try await registry.importStolen(by: options.actor, next: rows.next) {
        file(rows.report)
      }
      return (outcome, rows.report)
    }
  }

  private struct StrictRefusal: Error {
    let report: FileReport
  }

  private func run(
    _ kind: ImportedFile.Kind, path: String,
    _ work: (RegistryTransaction, (FileReport) -> ImportedFile) async throws -> (
      ImportOutcome, FileReport
    )
  ) async throws -> Outcome {
    let sha256 = try FileHash.sha256(of: path)
    if let earlier = try await store.read({
      try await $0.earlierImport(of: kind, sha256: sha256)
    }) {
      return .repeated(number: earlier.number, at: earlier.at)
    }
    do {
      let (outcome, report) = try await store.write { registry in
        let (outcome, report) = try await work(registry) { report in
          ImportedFile(
            kind: kind, fileName: FileName.last(of: path), sha256: sha256,
            source: options.source, rowsRead: report.rowsRead, rowsKept: report.rowsKept,
            rowsRepeated: report.rowsRepeated, rowsRefused: report.rowsRefused)
        }
        if options.isStrict, report.rowsRefused > 0 { throw StrictRefusal(report: report) }
        return (outcome, report)
      }
      return .imported(outcome, report)
    } catch let refusal as StrictRefusal {
      return .refused(refusal.report)
    }
  }
}

enum FileName {
  static func last(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}

/// A file that cannot be read, with the reason of the system.
package struct UnreadableFile: Error, CustomStringConvertible {
  package let description: String

  init(_ path: String, errno: Int32) {
    description = "The file \(path) cannot be read: \(String(cString: strerror(errno)))."
  }
}

enum FileHash {
  static let pieceBytes = 1 << 20

  static func sha256(of path: String) throws -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw UnreadableFile(path, errno: errno) }
    defer { close(file) }
    var hash = SHA256()
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 16)
    defer { piece.deallocate() }
    while true {
      let count = read(file, piece.baseAddress, piece.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw UnreadableFile(path, errno: errno)
      }
      guard count > 0 else { return Array(hash.finalize()) }
      hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: piece[..<count]))
    }
  }
}

import ArgumentParser
import CEIRService
import DeviceLists
import Foundation
import NightlyJobs
import RegistryFiles
import RegistryStore

struct Import: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Take in a file from an authority.",
    discussion: """
      A line that cannot be used is named with its reason and the others are kept; with --strict \
      the file is then refused as a whole. The same file twice is recognised.

      EXAMPLES
        ceir import tac tacdb.csv --source gsma
        ceir import stolen reports.csv --source police --refusals refused.csv --strict
      """,
    subcommands: [Operator.self, TAC.self, Stolen.self])

  struct TAC: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "tac", abstract: "Type allocations: CSV with a tac column, or GSMA's form.")

    @OptionGroup var file: ImportOptions

    func run() async throws {
      try await file.run(source: file.source ?? "tac") { job, listener in
        try await job.importTACs(path: file.path, listener: listener)
      }
    }
  }

  struct Stolen: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Stolen and lost devices: imei, and if known reporting_date, status, case.")

    @OptionGroup var file: ImportOptions

    @Flag(help: "IMEIs of 14 to 16 digits, as networks signal them: no check digit is verified.")
    var signalled = false

    func run() async throws {
      try await file.run(source: file.source ?? "stolen", signalled: signalled) { job, listener in
        try await job.importStolen(path: file.path, listener: listener)
      }
    }
  }
}

/// What the imports have in common.
struct ImportOptions: ParsableArguments {
  /// Refused lines that are shown; the rest is counted, and written to the refusal file.
  static let shownRefusals = 20

  @Argument(help: "The file.", completion: .file()) var path: String
  @Option(
    help: "Who gave it; a source ends only its own grounds. (default: tac or stolen)",
    transform: KeptText.read)
  var source: String?
  @Flag(help: "Refuse the whole file if one line is refused.") var strict = false
  @Option(help: "Write every refused line with its reason to this CSV file.", completion: .file())
  var refusals: String?
  @OptionGroup var registry: RegistryOptions
  @Option(help: "text or json.") var format = OutputFormat.text

  func run(
    source: String, signalled: Bool = false,
    _ work: (FileImport, FileImport.Listener) async throws -> FileImport.Outcome
  ) async throws {
    if let refusals, let input = FileIdentity(path), FileIdentity(refusals) == input {
      throw ValidationError("--refusals names the file that is taken in: give it another name.")
    }
    let output = try RefusalOutput(path: refusals, shown: Self.shownRefusals)
    let progress = ProgressBox("lines read")
    let outcome = try await registry.withRegistry(longWork: true) { store in
      var options = FileImport.Options(
        source: source, actor: Actor.name, today: try await store.read { try await $0.today() })
      options.isStrict = strict
      options.imeiForm = signalled ? .signalled : .dialled
      return try await work(
        FileImport(store: store, options: options),
        FileImport.Listener(
          refused: { try output.add($0) }, read: { progress.line.update($0) }))
    }
    progress.line.end()
    try output.finish()
    try report(outcome)
  }

  private final class ProgressBox {
    var line: ProgressLine

    init(_ what: String) { line = ProgressLine(what) }
  }

  private struct Answer: Encodable {
    var status: String
    var importNumber: Int64?
    var read: Int?
    var kept: Int?
    var repeated: Int?
    var refused: Int?
    var refusedByReason: [String: Int]?
    var added: Int?
    var changed: Int?
    var unchanged: Int?

    init(status: String, _ report: FileReport? = nil) {
      self.status = status
      read = report?.rowsRead
      kept = report?.rowsKept
      repeated = report?.rowsRepeated
      refused = report?.rowsRefused
      refusedByReason = report.map { report in
        Dictionary(
          uniqueKeysWithValues: report.refused.map { ($0.key.description, $0.value) })
      }
    }
  }

  private func report(_ outcome: FileImport.Outcome) throws {
    switch outcome {
    case .imported(let outcome, let report):
      for notice in report.notices { Terminal.error("ceir: \(notice)") }
      var answer = Answer(status: "imported", report)
      answer.importNumber = outcome.importNumber
      answer.added = outcome.added
      answer.changed = outcome.changed
      answer.unchanged = outcome.unchanged
      if format == .json { return try Terminal.json(answer) }
      Terminal.output(
        """
        \(path): \(report.rowsRead) rows read, \(report.rowsKept) kept, \
        \(report.rowsRepeated) repeated, \(report.rowsRefused) refused; \(outcome.added) new, \
        \(outcome.changed) changed, \(outcome.unchanged) known already.
        """)
    case .repeated(let number, let at):
      if format == .json { return try Terminal.json(Answer(status: "repeated")) }
      Terminal.output(
        "\(path): the same file was taken in at \(at) as import \(number); nothing to do.")
    case .refused(let report):
      for notice in report.notices { Terminal.error("ceir: \(notice)") }
      if format == .json { try Terminal.json(Answer(status: "refused", report)) }
      Terminal.error(
        "ceir: \(path) was refused as a whole, for --strict was given: of \(report.rowsRead) rows "
          + "\(report.rowsRefused) cannot be used and \(report.rowsRepeated) are repeated, or a "
          + "column is not known. Nothing was changed.")
      throw ExitCode(CommandFailure.failed)
    }
  }
}

/// A file whatever its path; nil where there is none.
private struct FileIdentity: Equatable {
  private let device: UInt64
  private let number: UInt64

  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    device = UInt64(status.st_dev)
    number = UInt64(status.st_ino)
  }
}

/// Shows the first refusals and writes all of them to a file.
final class RefusalOutput {
  private let file: FileHandle?
  private let path: String?
  private let shown: Int
  private var count = 0

  init(path: String?, shown: Int) throws {
    self.path = path
    self.shown = shown
    guard let path else {
      file = nil
      return
    }
    guard
      FileManager.default.createFile(
        atPath: path, contents: Data("line,column,code,reason\n".utf8)),
      let file = FileHandle(forWritingAtPath: path)
    else { throw ValidationError("The refusal file \(path) cannot be written.") }
    try file.seekToEnd()
    self.file = file
  }

  func add(_ refusal: Refusal) throws {
    count += 1
    if count <= shown { Terminal.error("ceir: \(refusal)") }
    let reason = refusal.reason.replacing("\"", with: "\"\"")
    let line = "\(refusal.line),\(refusal.column ?? ""),\(refusal.code.rawValue),\"\(reason)\"\n"
    try file?.write(contentsOf: Data(line.utf8))
  }

  func finish() throws {
    try file?.close()
    guard count > shown else { return }
    let rest = "ceir: … and \(count - shown) more refused lines"
    Terminal.error(rest + (path.map { ": see \($0)." } ?? "; --refusals FILE writes them all."))
  }
}

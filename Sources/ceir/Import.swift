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
      the file is then refused as a whole. The same file twice is recognised. A file may be packed \
      with gzip or zip; - is standard input.

      A list says what is in force: what it does not name ends. With --delta each line says what \
      to add, remove or update. A list is checked before it changes anything; --accept CHECK \
      --because TEXT sets a check aside.

      EXAMPLES
        ceir import tac tacdb.csv --source gsma
        ceir import stolen reports.csv --source police --refusals refused.csv --strict
        ceir import registration devices.csv.gz --source customs --dry-run
        ceir import pairing pairs.csv --source ministry --delta
      """,
    subcommands: [
      Operator.self, TAC.self, Stolen.self, Barred.self, BarredTAC.self, Golden.self, Pairings.self,
      Registration.self, TypeApproval.self, Monitoring.self, Subscribers.self, Associations.self,
    ])

  struct TAC: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "tac", abstract: "Type allocations: CSV with a tac column, or GSMA's form.",
      discussion: ImportExample.text("tac tacdb.csv --source gsma"))

    @OptionGroup var file: ImportOptions

    func run() async throws {
      try await file.run(source: file.source ?? "tac") { job, listener in
        try await job.importTACs(path: file.input.path, listener: listener)
      }
    }
  }

  struct Stolen: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Stolen and lost devices: imei, and if known reporting_date, status, case.",
      discussion: "Without --full and --delta the devices are added to those reported before.\n\n"
        + ImportExample.text("stolen reports.csv --source police --refusals refused.csv"))

    @OptionGroup var list: ListOptions
    @OptionGroup var form: FormOptions

    func validate() throws {
      guard list.full || list.delta || list.set.accept.isEmpty else {
        throw ValidationError("--accept belongs to --full or --delta: nothing is checked without.")
      }
    }

    func run() async throws {
      if list.full || list.delta {
        return try await list.run(.stolen, signalled: form.signalled)
      }
      let file = list.file
      try await file.run(source: file.source ?? "stolen", signalled: form.signalled) {
        try await $0.importStolen(path: file.input.path, listener: $1)
      }
    }
  }
}

enum ImportExample {
  static func text(_ line: String) -> String { "EXAMPLES\n  ceir import \(line)" }
}

/// A file, and how it is reported: what all imports have in common.
struct InputOptions: ParsableArguments {
  /// Refused lines that are shown; the rest is counted, and written to the refusal file.
  static let shownRefusals = 20

  @Argument(help: "The file; - for standard input.", completion: .file()) var path: String
  @Flag(help: "Report what would change, and change nothing.") var dryRun = false
  @Option(help: "Write every refused line with its reason to this CSV file.", completion: .file())
  var refusals: String?
  @OptionGroup var registry: RegistryOptions
  @Option(help: "text or json.") var format = OutputFormat.text

  var report: ImportReport { ImportReport(path: path, format: format) }

  /// Opens the registry, and shows refused lines and progress while `work` goes on. The text is the
  /// directory for what must wait in files.
  func read<Outcome>(
    _ work: (RegistryStore, FileImport.Listener, String) async throws -> Outcome
  ) async throws -> Outcome {
    if let refusals, let input = FileIdentity(path), FileIdentity(refusals) == input {
      throw ValidationError("--refusals names the file that is taken in: give it another name.")
    }
    let output = try RefusalOutput(path: refusals, shown: Self.shownRefusals)
    var progress = ProgressLine("lines read")
    let temporaryDirectory = try await temporaryDirectory()
    let listener = FileImport.Listener(
      refused: { try output.add($0) }, read: { progress.update($0) })
    let outcome = try await registry.withRegistry(longWork: true) { store in
      try await work(store, listener, temporaryDirectory)
    }
    progress.end()
    try output.finish()
    return outcome
  }

  /// `TMPDIR`, else the data directory, which has room.
  private func temporaryDirectory() async throws -> String {
    if let named = ProcessInfo.processInfo.environment["TMPDIR"], !named.isEmpty { return named }
    let own = try await registry.settings().dataDirectory
    return access(own, W_OK) == 0 ? own : "/tmp"
  }
}

/// A file of an authority.
struct ImportOptions: ParsableArguments {
  @OptionGroup var input: InputOptions
  @Option(
    help: "Who gave it; a source ends only its own grounds. (default: the kind of the file)",
    transform: KeptText.read)
  var source: String?
  @Flag(help: "Refuse the whole file if one line is refused.") var strict = false

  func run(
    source: String, signalled: Bool = false,
    _ work: (FileImport, FileImport.Listener) async throws -> FileImport.Outcome
  ) async throws {
    let outcome = try await read(source: source, signalled: signalled) { store, options, listener in
      try await work(FileImport(store: store, options: options), listener)
    }
    let report = input.report
    switch outcome {
    case .imported(let outcome, let file): try report.done("imported", outcome, file)
    case .tried(let outcome, let file): try report.done("tried", outcome, file)
    case .repeated(let number, let at): try report.repeated(number, at)
    case .refused(let file): try report.refusedAsStrict(file)
    }
  }

  func read<Outcome>(
    source: String, signalled: Bool,
    _ work: (RegistryStore, FileImport.Options, FileImport.Listener) async throws -> Outcome
  ) async throws -> Outcome {
    try await input.read { store, listener, temporaryDirectory in
      var options = FileImport.Options(
        source: source, actor: Actor.name, today: try await store.read { try await $0.today() })
      options.isStrict = strict
      options.isDryRun = input.dryRun
      options.imeiForm = signalled ? .signalled : .dialled
      options.temporaryDirectory = temporaryDirectory
      return try await work(store, options, listener)
    }
  }
}

/// Checks that a person sets aside.
struct AcceptOptions<Check: ImportCheck>: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Checks to set aside for this file: \(Self.checks).", valueName: "check"),
    completion: .list(Check.allCases.map(\.rawValue)), transform: Self.check)
  var accept: [Check] = []
  @Option(
    help: "Why the checks are set aside: kept with the import.", transform: KeptText.read)
  var because: String?

  private static var checks: String {
    Check.allCases.map(\.rawValue).joined(separator: ", ")
  }

  private static func check(_ text: String) throws -> Check {
    guard let check = Check(rawValue: text) else { throw ValidationError("there are \(checks)") }
    return check
  }

  func validate() throws {
    if !accept.isEmpty, because == nil {
      throw ValidationError("--accept needs --because: say why the check is set aside.")
    }
    if accept.isEmpty, because != nil {
      throw ValidationError("--because belongs to --accept: name the check that is set aside.")
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

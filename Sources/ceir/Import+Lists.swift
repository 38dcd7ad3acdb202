import ArgumentParser
import DeviceLists
import NightlyJobs
import RegistryFiles

extension Import {
  struct Barred: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Devices that are barred, without exception for anybody: imei.",
      discussion: ImportExample.text("barred barred.csv --source regulator --code courtOrder"))

    @OptionGroup var list: ListOptions
    @OptionGroup var form: FormOptions
    @Option(
      help: "Why they are barred: a ground that blocks.", completion: .list(Self.words),
      transform: Self.blocking)
    var code = GroundCode.notApproved

    private static let words =
      GroundCode.allCases.filter { $0.defaultStatus == .black }.map(\.description)

    private static func blocking(_ text: String) throws -> GroundCode {
      guard let code = GroundCode(word: text), code.defaultStatus == .black else {
        throw ValidationError("it is one of \(words.joined(separator: ", "))")
      }
      return code
    }

    func run() async throws {
      try await list.run(.barred, signalled: form.signalled, code: code)
    }
  }

  struct BarredTAC: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "barred-tac", abstract: "Types that are barred: tac.",
      discussion: ImportExample.text("barred-tac types.csv --source regulator"))

    @OptionGroup var list: ListOptions

    func run() async throws { try await list.run(.barredTAC) }
  }

  struct Golden: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Devices that nothing blocks: golden_imei or imei.",
      discussion: ImportExample.text("golden golden.csv --source ministry"))

    @OptionGroup var list: ListOptions
    @OptionGroup var form: FormOptions
    @Flag(help: "The column holds the MD5 of the 14 digits: rules leave such devices out.")
    var hashed = false

    func run() async throws {
      try await list.run(hashed ? .goldenHashed : .golden, signalled: form.signalled)
    }
  }

  struct Pairings: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "pairing",
      abstract: "Subscribers who may use a device that is blocked for others: imei and imsi.",
      discussion: ImportExample.text("pairing pairs.csv --source ministry --delta"))

    @OptionGroup var list: ListOptions
    @OptionGroup var form: FormOptions

    func run() async throws { try await list.run(.pairing, signalled: form.signalled) }
  }

  struct Registration: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Registered devices: approved_imei or imei; all other columns are kept.",
      discussion: ImportExample.text("registration devices.csv.gz --source customs --dry-run"))

    @OptionGroup var list: ListOptions
    @OptionGroup var form: FormOptions

    func run() async throws { try await list.run(.registration, signalled: form.signalled) }
  }

  struct TypeApproval: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "type-approval",
      abstract: "Types that are approved: tac; all other columns are kept.",
      discussion: ImportExample.text("type-approval approvals.csv --source laboratory"))

    @OptionGroup var list: ListOptions

    func run() async throws { try await list.run(.typeApproval) }
  }

  struct Monitoring: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Devices that are watched: imei.",
      discussion: ImportExample.text("monitoring watched.csv --source police"))

    @OptionGroup var list: ListOptions
    @OptionGroup var form: FormOptions

    func run() async throws { try await list.run(.monitoring, signalled: form.signalled) }
  }

  struct Subscribers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Who has which SIM: uid and imsi.",
      discussion: ImportExample.text("subscribers sims.csv --source alfa"))

    @OptionGroup var list: ListOptions

    func run() async throws { try await list.run(.subscribers) }
  }

  struct Associations: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Who has which device: uid and imei.",
      discussion: ImportExample.text("associations devices.csv --source ministry"))

    @OptionGroup var list: ListOptions
    @OptionGroup var form: FormOptions

    func run() async throws { try await list.run(.associations, signalled: form.signalled) }
  }
}

/// How IMEIs are written.
struct FormOptions: ParsableArguments {
  @Flag(help: "IMEIs of 14 to 16 digits, as networks signal them: no check digit is verified.")
  var signalled = false
}

/// What the imports of lists have in common.
struct ListOptions: ParsableArguments {
  @OptionGroup var file: ImportOptions
  @Flag(
    help: "The file says what is in force: what it does not name ends. The rule, but for stolen.")
  var full = false
  @Flag(help: "A file of changes: its column change_type says add, remove or update.")
  var delta = false
  @OptionGroup var set: AcceptOptions<ListCheck>

  func validate() throws {
    if full, delta { throw ValidationError("Give --full or --delta, not both.") }
  }

  func run(
    _ kind: ListKind, signalled: Bool = false, code: GroundCode = .notApproved
  ) async throws {
    let source = file.source ?? kind.rawValue
    let outcome = try await file.read(source: source, signalled: signalled) {
      store, options, listener in
      var list = ListImport.Options(kind, options)
      list.isDelta = delta
      list.code = code
      list.accepted = Set(set.accept)
      list.acceptedReason = set.because ?? ""
      return try await ListImport(kind, store: store, options: list)
        .run(path: file.input.path, listener: listener)
    }
    let report = file.input.report
    switch outcome {
    case .imported(let list):
      try report.done(
        "imported", list.outcome, list.file, list.findings.all, accepted: list.accepted)
    case .tried(let list):
      try report.done("tried", list.outcome, list.file, list.findings.all, accepted: list.accepted)
    case .repeated(let number, let at): try report.repeated(number, at)
    case .stopped(let findings, let failed, let file):
      try report.stopped(findings.all, by: failed, file)
    case .refused(let file): try report.refusedAsStrict(file)
    }
  }
}

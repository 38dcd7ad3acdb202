import ArgumentParser
import CEIRService
import DeviceIdentity
import DeviceLists
import RegistryStore

struct Device: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at a device; block, unblock or release it.",
    discussion: """
      EXAMPLES
        ceir device show 49-015420-323751-8
        ceir device block 490154203237518 --case 2026/117 --reason "reported at station 4"
        ceir device unblock 490154203237518 --reason "the report was withdrawn"
        ceir device release 490154203237518 --reason "wrong IMEI in the report of another office"
      """,
    subcommands: [Show.self, Block.self, Unblock.self, Release.self, Link.self])

  /// What this command's own grounds are recorded as.
  static let source = "regulator"

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show what the registry knows of a device, and why.",
      discussion: """
        EXAMPLES
          ceir device show 49-015420-323751-8
          ceir device show 490154203237518 --format json
        """)

    @Argument(help: "15 digits, the check digit included.", transform: DialledIMEI.read)
    var imei: DialledIMEI
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    func run() async throws {
      let record = try await registry.withRegistry {
        try await Registrar(store: $0).device(imei.imei, for: Actor.name)
      }
      if format == .json { return try Terminal.json(DeviceAnswer(record)) }
      Terminal.output(DeviceText.text(record))
    }
  }

  struct Block: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Block a device, every IMEI of it, on a ground of the regulator.",
      discussion: """
        EXAMPLES
          ceir device block 490154203237518 --case 2026/117 --reason "reported at station 4"
          ceir device block 490154203237518 --case 2026/118 --reason "by order" --ground courtOrder
        """)

    @Argument(help: "15 digits, the check digit included.", transform: DialledIMEI.read)
    var imei: DialledIMEI
    @Option(
      name: .customLong("case"), help: "The case that decides it.", transform: KeptText.read)
    var caseReference: String
    @Option(help: "Why, in a sentence.", transform: KeptText.read) var reason: String
    @Option(help: "The ground: stolen, lost, courtOrder, fraud …") var ground = "stolen"
    @Option(help: "all, or the code of the one operator that it is for.") var scope = "all"
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    func run() async throws {
      guard let code = GroundCode(word: ground), code.defaultStatus != .white else {
        throw ValidationError(
          "--ground \(ground) is no ground that blocks: use stolen, lost, courtOrder, fraud, "
            + "operatorRequest or another of Schema/exchange/codes.md.")
      }
      guard let scope = Scope(scope) else {
        throw ValidationError("--scope must be all or an operator's code.")
      }
      let ground = NewGround(
        on: .imei(imei.imei), scope: scope, code: code, source: Device.source,
        caseReference: caseReference, reason: reason)
      try await registry.decide(.block(ground), on: imei, done: "blocked", format: format)
    }
  }

  struct Unblock: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "End the regulator's own grounds on a device.",
      discussion: """
        EXAMPLES
          ceir device unblock 490154203237518 --reason "the report was withdrawn"
        """)

    @Argument(help: "15 digits, the check digit included.", transform: DialledIMEI.read)
    var imei: DialledIMEI
    @Option(help: "Why, in a sentence.", transform: KeptText.read) var reason: String
    @Option(help: "Whose grounds end.") var source = Device.source
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    func run() async throws {
      try await registry.decide(
        .unblock(source: source, reason: reason), on: imei, done: "unblocked", format: format)
    }
  }

  struct Release: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Undo a wrong block in one step, whoever gave its grounds.",
      discussion: """
        Grounds of the same kind stay without effect until the release is ended.

        EXAMPLES
          ceir device release 490154203237518 --reason "wrong IMEI in the report of another office"
          ceir device release 490154203237518 --end --reason "the report was right"
        """)

    @Argument(help: "15 digits, the check digit included.", transform: DialledIMEI.read)
    var imei: DialledIMEI
    @Option(help: "Why, in a sentence.", transform: KeptText.read) var reason: String
    @Option(name: .customLong("case"), help: "The case that decides it.") var caseReference = ""
    @Flag(help: "End the releases of this device: its grounds count again.") var end = false
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    func run() async throws {
      let decision: Registrar.Decision =
        end
        ? .endRelease(reason: reason) : .release(caseReference: caseReference, reason: reason)
      try await registry.decide(
        decision, on: imei, done: end ? "no longer released" : "released", format: format)
    }
  }

  struct Link: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make one device of several IMEIs, such as those of two SIM slots.",
      discussion: """
        EXAMPLES
          ceir device link 490154203237518 352099001761481
        """)

    @Argument(help: "Two or more IMEIs, 15 digits each.", transform: DialledIMEI.read)
    var imeis: [DialledIMEI]
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    func run() async throws {
      let distinct = Set(imeis.map(\.imei))
      guard distinct.count > 1, distinct.count == imeis.count, let first = imeis.first else {
        throw ValidationError("Give two or more IMEIs, each once.")
      }
      try await registry.decide(
        .link(imeis.map(\.imei), source: Device.source), on: first, done: "linked",
        format: format)
    }
  }
}

/// An IMEI as a person types it.
struct DialledIMEI: Sendable {
  let imei: IMEI

  @Sendable static func read(_ text: String) throws -> DialledIMEI {
    do throws(IdentityError) {
      return DialledIMEI(imei: try IMEI(dialled: text))
    } catch {
      throw ValidationError("the IMEI \(error.description)")
    }
  }
}

/// A text that the registry keeps and shows again.
enum KeptText {
  @Sendable static func read(_ text: String) throws -> String {
    guard PlainText.isFit(text) else { throw ValidationError("it must have \(PlainText.rule)") }
    return text
  }
}

extension RegistryOptions {
  private struct Answer: Encodable {
    let imeis: [String]
    let position: UInt64?
    let status: String
    let stillBlack: [DeviceAnswer.Ground]?
  }

  fileprivate func decide(
    _ decision: Registrar.Decision, on imei: DialledIMEI, done: String, format: OutputFormat
  ) async throws {
    let outcome = try await withRegistry {
      try await Registrar(store: $0).decide(decision, on: imei.imei, by: Actor.name)
    }
    if format == .json {
      return try Terminal.json(
        Answer(
          imeis: outcome.imeis.map(\.dialled), position: outcome.position?.number,
          status: outcome.position == nil ? "recorded" : "published",
          stillBlack: outcome.stillBlack.map { $0.map(DeviceAnswer.Ground.init) }))
    }
    let imeis = outcome.imeis.map(\.dialled).joined(separator: ", ")
    if let position = outcome.position {
      Terminal.output("\(imeis): \(done), published at position \(position).")
    } else {
      Terminal.output(
        "\(imeis): \(done), recorded; it will be published as soon as a ceir serves.")
    }
    if let standing = outcome.stillBlack, !standing.isEmpty {
      Terminal.output(DeviceText.stillBlack(imei.imei, standing))
    }
  }
}

/// A device for a person's eyes.
enum DeviceText {
  /// After an unblock: what keeps the device black, and how that is ended.
  static func stillBlack(_ imei: IMEI, _ grounds: [RecordedGround]) -> String {
    let lines = grounds.map { ground in
      let wider = ground.subject.kind == .imei ? "" : " on its \(ground.subject.kind)"
      let reference = ground.caseReference.isEmpty ? "" : ", case \(ground.caseReference)"
      let end = ground.end.map { " until \($0)" } ?? ""
      return "  \(ground.code)\(wider) for \(ground.scope), from \(ground.source)\(reference), "
        + "since \(ground.start)\(end)"
    }
    return "\(imei.dialled) is still black:\n" + lines.joined(separator: "\n")
      + "\nA source ends its own (--source); `ceir device release` lifts them all."
  }

  static func text(_ record: DeviceRecord) -> String {
    var lines = ["IMEI      \(record.imei.dialled)"]
    if let manufacturer = record.manufacturer, let model = record.model {
      lines.append("type      \(record.imei.tac) \(manufacturer) \(model)")
    } else {
      lines.append("type      \(record.imei.tac), not allocated")
    }
    if !record.siblings.isEmpty {
      lines.append("device    also \(record.siblings.map(\.dialled).joined(separator: ", "))")
    }
    lines.append("lists     \(record.entries.isEmpty ? "on none" : "")")
    for entry in record.entries {
      let wider = entry.subject.kind == .imei ? "" : " by its \(entry.subject.kind)"
      lines.append(
        "  \(entry.entryClass.status)\(wider) for \(entry.scope): \(entry.entryClass.codes), since "
          + "\(entry.since), position \(entry.position)")
    }
    if record.pairingCount > 0 {
      lines.append("pairings  \(record.pairingCount) subscribers have entries of their own")
    }
    lines.append("grounds   \(record.grounds.isEmpty ? "none" : "")")
    for ground in record.grounds {
      let end = ground.end.map { " until \($0)" } ?? ""
      lines.append(
        "  #\(ground.number) \(ground.code) (\(ground.status), \(ground.scope)) from "
          + "\(ground.source), case \(ground.caseReference.isEmpty ? "–" : ground.caseReference), "
          + "since \(ground.start)\(end)")
    }
    for release in record.releases {
      let end = release.end.map { " until \($0)" } ?? ""
      lines.append(
        "  released from \(release.codes) by \(release.recordedBy) since \(release.start)\(end): "
          + release.reason)
    }
    return lines.joined(separator: "\n")
  }
}

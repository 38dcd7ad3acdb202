import ArgumentParser
import EIRNode
import Foundation

struct Local: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Keep your own black list, beside the registry's.",
    discussion: """
      An entry takes effect at once and is kept over restarts; ended ones stay in the history. It \
      adds to the registry's list and lifts nothing from it.

      EXAMPLES
        eir local add 35209900 --reason "unpaid contract" --config /etc/openceir/eir.json
        eir local list --config /etc/openceir/eir.json
      """,
    subcommands: [Add.self, Remove.self, List.self, Show.self])

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Block devices.",
      discussion: """
        EXAMPLES
          eir local add 490154203237518 --reason "unpaid contract" --case 2026/117 \\
            --config /etc/openceir/eir.json
          eir local add 35209900 --svn 00-07 --reason "firmware that harms the network" \\
            --config /etc/openceir/eir.json
          eir local add 35209900000000-35209900000999 --reason "stolen from the warehouse" \\
            --not-overridable --config /etc/openceir/eir.json
        """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var author: AuthorOptions

    @Argument(
      help: "A TAC of 8 digits, an IMEI of 14 or 15, or a range of two IMEIs of 14, FIRST-LAST.")
    var subject: String

    @Option(
      name: [.customLong("svn"), .customLong("svn-range")],
      help: "Only devices that report this software version, NN or NN-NN.")
    var svn: String?

    @Option(name: .customLong("case"), help: "Your reference for the case.")
    var caseReference: String?

    @Flag(help: "No exception for an IMEI and its owner goes before it.")
    var notOverridable = false

    @Flag(help: "A range may have more devices than a TAC, 1,000,000.")
    var wide = false

    @Option(help: "text or json.")
    var format = OutputFormat.text

    func run() async throws {
      let order = LocalOrder(
        subject: subject, svn: svn, overridable: !notOverridable, wide: wide ? true : nil,
        caseReference: caseReference, author: author.author)
      let settings = try await NodeSettings.read(common.sources(), for: .inspect)
      let entry = try await AdminClient(settings: settings).add(order)
      try show(entry, LocalReport(entries: [entry]).text, as: format)
    }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "End entries; the history keeps them.",
      discussion: """
        EXAMPLES
          eir local remove L17 --reason "paid" --config /etc/openceir/eir.json
          eir local remove 490154203237518 --reason "paid" --config /etc/openceir/eir.json
        """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var author: AuthorOptions

    @Argument(help: "The name of an entry, such as L17, or a subject: then all on it end.")
    var entry: String

    @Option(help: "text or json.")
    var format = OutputFormat.text

    func run() async throws {
      let settings = try await NodeSettings.read(common.sources(), for: .inspect)
      let report = try await AdminClient(settings: settings).end(entry, author.author)
      try show(report, report.text, as: format)
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List what is blocked locally, the entries of the settings first.",
      discussion: """
        EXAMPLES
          eir local list --config /etc/openceir/eir.json
          eir local list --all --config /etc/openceir/eir.json --format json
        """)

    @OptionGroup var common: CommonOptions

    @Flag(help: "Also entries that were ended.")
    var all = false

    @Option(help: "text or json.")
    var format = OutputFormat.text

    func run() async throws {
      let settings = try await NodeSettings.read(common.sources(), for: .inspect)
      let report = try await AdminClient(settings: settings).entries(isWithEnded: all)
      try show(report, report.text, as: format)
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show who added an entry, when and why, and who ended it.",
      discussion: """
        EXAMPLES
          eir local show L17 --config /etc/openceir/eir.json
        """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The name of an entry, such as L17.")
    var entry: String

    @Option(help: "text or json.")
    var format = OutputFormat.text

    func run() async throws {
      let settings = try await NodeSettings.read(common.sources(), for: .inspect)
      let report = try await AdminClient(settings: settings).entry(entry)
      try show(report, report.longText, as: format)
    }
  }
}

/// Who gives an order, and why.
struct AuthorOptions: ParsableArguments {
  @Option(help: "Why, in your words.")
  var reason: String

  @Option(help: "Your name, if not that of your account.")
  var by: String?

  var author: LocalAuthor {
    let account = NSUserName()
    return LocalAuthor(by: by ?? account, account: "\(account)/\(getuid())", reason: reason)
  }
}

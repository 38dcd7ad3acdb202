import ArgumentParser
import DeviceLists
import RegistryFiles
import Simulation

@main
struct SampleCountryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample-country",
    abstract: "Makes a country to try things on, from a real list of device types.",
    discussion: """
      Two operators (alfa, beta), their subscribers and devices, a list of stolen devices, and the \
      same list as it might come from a police station. The same seed gives the same files.

      With --seen also what the networks saw, for `ceir import operator`: a month of each operator \
      (alfa_20251201_20251231.csv), the day after it (alfa_20260101_20260101.csv), and alfa's \
      month once more without what alfa calls a billing error \
      (corrected/alfa_20251201_20251231.csv). truth.json names every planted device, the \
      condition that must find it, the genuine owner of every clone, and the clones that the \
      corrected file clears. The radio technologies are drawn by chance, as the list of types \
      names no bands: a rule about them finds innocents.

      PLANTED, TO BE FOUND
      \(kinds { $0.condition != nil })

      PLANTED, NOT TO BE FOUND
      \(kinds { $0.condition == nil })

      EXAMPLES
        sample-country --tacs tac.csv --out country --devices 100000 --seed 7
        sample-country --tacs tac.csv --out country --devices 100000 --seed 7 \\
          --seen 2025-12 --plant clones=30 --plant simBoxes=5
      """)

  private static func kinds(_ isMeant: (SampleKind) -> Bool) -> String {
    SampleKind.allCases.filter(isMeant).map { kind in
      let name = kind.rawValue
      return "  \(name)\(String(repeating: " ", count: max(1, 14 - name.count)))\(kind.meaning)"
    }.joined(separator: "\n")
  }

  @Option(help: ArgumentHelp("List of type allocations.", valueName: "file"))
  var tacs: String

  @Option(help: ArgumentHelp("Folder for the files; made if missing.", valueName: "folder"))
  var out: String

  @Option(help: "How many devices, at least 2.")
  var devices: Int

  @Option(help: "Any number.")
  var seed: UInt64

  @Option(help: "How many devices are reported stolen or lost. (default: one in a hundred)")
  var stolen: Int?

  @Option(name: .customLong("as-of"), help: "The day of the youngest report, YYYY-MM-DD.")
  var asOf = "2026-01-01"

  @Option(
    help: ArgumentHelp(
      "Also write what the networks saw in this month and on the day after it.",
      valueName: "YYYY-MM"))
  var seen: String?

  @Option(
    help: ArgumentHelp(
      "How many of a kind the networks see; may be given for each. (default: by the devices)",
      valueName: "kind=number"))
  var plant: [String] = []

  func validate() throws {
    guard CivilDate(asOf) != nil else {
      throw ValidationError("--as-of \(asOf) is not a day written as YYYY-MM-DD.")
    }
    if let seen, CivilDate("\(seen)-01") == nil {
      throw ValidationError("--seen \(seen) is not a month written as YYYY-MM.")
    }
    guard seen != nil || plant.isEmpty else { throw ValidationError("--plant needs --seen.") }
    _ = try counts()
  }

  private func counts() throws -> [SampleKind: Int] {
    var counts: [SampleKind: Int] = [:]
    for text in plant {
      let parts = text.split(separator: "=", omittingEmptySubsequences: false)
      guard parts.count == 2, let kind = SampleKind(rawValue: String(parts[0])),
        let count = Int(parts[1])
      else { throw ValidationError("--plant \(text) is not kind=number; --help lists the kinds.") }
      guard counts.updateValue(count, forKey: kind) == nil else {
        throw ValidationError("--plant \(kind.rawValue) is given twice.")
      }
    }
    return counts
  }

  func run() throws {
    guard let day = CivilDate(asOf) else { throw ExitCode.validationFailure }
    let country = try SampleCountry(
      types: SampleTypes.read(ByteSource(path: tacs), fileName: tacs), deviceCount: devices,
      stolenDeviceCount: stolen ?? max(1, devices / 100), seed: seed, asOf: day)
    let sightings = try seen.flatMap { CivilDate("\($0)-01") }.map {
      try SampleSightings(of: country, month: $0, counts: counts())
    }
    let files = try country.write(to: out)
    print(
      "\(out): \(devices) devices, \(files.subscribers) subscribers, "
        + "\(files.stolen.rowsRead) stolen IMEIs, seed \(seed)")
    guard let sightings else { return }
    for dump in try sightings.write(to: out).dumps {
      print("\(out)/\(dump.name): \(dump.lines) lines, \(dump.refused) of them unusable")
    }
  }
}

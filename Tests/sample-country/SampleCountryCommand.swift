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

      EXAMPLE
        sample-country --tacs osmocom-tac.csv --out country --devices 100000 --seed 7
      """)

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

  func validate() throws {
    guard CivilDate(asOf) != nil else {
      throw ValidationError("--as-of \(asOf) is not a day written as YYYY-MM-DD.")
    }
  }

  func run() throws {
    guard let day = CivilDate(asOf) else { throw ExitCode.validationFailure }
    let country = try SampleCountry(
      types: SampleTypes.read(ByteSource(path: tacs), fileName: tacs), deviceCount: devices,
      stolenDeviceCount: stolen ?? max(1, devices / 100), seed: seed, asOf: day)
    let files = try country.write(to: out)
    print(
      "\(out): \(devices) devices, \(files.subscribers) subscribers, "
        + "\(files.stolen.rowsRead) stolen IMEIs, seed \(seed)")
  }
}

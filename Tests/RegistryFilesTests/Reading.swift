import DeviceIdentity
import DeviceLists
import RegistryFiles
import Testing

/// All that reading a file has given.
struct Reading<Row: Hashable & Sendable>: Hashable, Sendable {
  var lines: [FileLine<Row>] = []
  var report: FileReport

  var rows: [Row] { lines.compactMap { if case .row(let row) = $0 { row } else { nil } } }

  var refusals: [Refusal] {
    lines.compactMap { if case .refused(let refusal) = $0 { refusal } else { nil } }
  }

  /// `line:code` of every refusal.
  var places: [String] { refusals.map { "\($0.line):\($0.code)" } }
}

let firstOfMarch2026 = CivilDate(year: 2026, month: 3, day: 1)

func readStolen(
  _ bytes: [UInt8], pieces: [Int] = [.max], form: StolenListFile.IMEIForm = .dialled,
  limits: FileLimits = FileLimits()
) throws -> Reading<StolenReport> {
  let asOf = try #require(firstOfMarch2026)
  var file = try StolenListFile(
    ByteSource(bytes: bytes, pieces: pieces), fileName: "stolen.csv",
    options: .init(asOf: asOf, imeiForm: form, limits: limits))
  var lines: [FileLine<StolenReport>] = []
  while let line = try file.next() { lines.append(line) }
  return Reading(lines: lines, report: file.report)
}

func readStolen(
  _ text: String, form: StolenListFile.IMEIForm = .dialled, limits: FileLimits = FileLimits()
) throws -> Reading<StolenReport> {
  try readStolen(Array(text.utf8), form: form, limits: limits)
}

func readTACs(
  _ source: consuming ByteSource, limits: FileLimits = FileLimits()
) throws -> Reading<TACAllocation> {
  var file = try TACListFile(source, fileName: "tac.csv", limits: limits)
  var lines: [FileLine<TACAllocation>] = []
  while let line = try file.next() { lines.append(line) }
  return Reading(lines: lines, report: file.report)
}

func readTACs(_ text: String) throws -> Reading<TACAllocation> {
  try readTACs(ByteSource(bytes: Array(text.utf8)))
}

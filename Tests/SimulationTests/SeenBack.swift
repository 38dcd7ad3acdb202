import DeviceIdentity
import DeviceLists
import DeviceRules
import RegistryFiles
import Simulation

/// What an importer makes of the dumps of a sample country.
struct SeenBack {
  struct Use: Hashable {
    let imsi: UInt64
    let msisdn: UInt64
    let operatorIndex: Int
    let month: Month
  }

  struct Days {
    var days: UInt32 = 0
    var technologies: RadioTechnology = []
  }

  /// By the IMEI's fifteen digits, or by what came in its place.
  private(set) var uses: [String: [Use: Days]] = [:]
  private(set) var imeis: [String: IMEI] = [:]

  /// Of a file, and which of its checks do not hold.
  struct Reading {
    var lines = 0
    var refused: [RefusalCode: Int] = [:]
    var failing: [DumpCheck] = []
  }

  /// `path` ends with the name of operator and days, as `alfa_20251201_20251231.csv`.
  mutating func read(_ path: String, of country: SampleCountry) throws -> Reading {
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    let parts = name.prefix { $0 != "." }.split(separator: "_")
    let places = country.operators.indices.filter {
      country.operators[$0].code.description == parts.first.map(String.init)
    }
    guard parts.count == 3, let first = Self.day(parts[1]), let last = Self.day(parts[2]),
      let place = places.first
    else { throw SimulationError(.badConstant(name)) }
    var file = try OperatorDump(
      ByteSource(path: path), fileName: name, options: .init(days: first...last),
      expected: Self.networks(country, own: place))
    while let line = try file.next() {
      if case .row(let seen) = line { note(seen, place) }
    }
    let results = file.counts.results(refused: file.report.rowsRefused)
    return Reading(
      lines: file.counts.rows, refused: file.report.refused,
      failing: results.filter { !$0.holds }.map(\.check))
  }

  private static func day(_ digits: Substring) -> CivilDate? {
    guard let number = Int64(digits), digits.count == 8 else { return nil }
    return CivilDate(year: number / 10_000, month: number / 100 % 100, day: number % 100)
  }

  private static func networks(_ country: SampleCountry, own: Int) -> OperatorNetworks {
    let ordered = [own] + country.operators.indices.filter { $0 != own }
    return OperatorNetworks(
      countries: ["001"].compactMap { LeadingDigits($0) },
      countryCodes: ["999"].compactMap { LeadingDigits($0) },
      networks: ordered.enumerated().compactMap { place, index in
        LeadingDigits(country.operators[index].plmn.description.filter(\.isNumber)).map {
          ($0, place)
        }
      })
  }

  private mutating func note(_ line: SeenLine, _ place: Int) {
    let identity: String
    switch line.identity {
    case .unusable(let text): identity = text
    case .imei(let imei, _):
      identity = imei.dialled
      imeis[identity] = imei
    }
    let day = Day(line.day)
    let use = Use(
      imsi: line.imsi, msisdn: line.msisdn, operatorIndex: place, month: Month(of: day))
    uses[identity, default: [:]][use, default: Days()].days |= 1 << UInt32(line.day.day - 1)
    uses[identity, default: [:]][use, default: Days()].technologies.formUnion(line.technologies)
  }

  func subscribers(_ identity: String) -> Set<UInt64> {
    Set((uses[identity] ?? [:]).keys.map(\.imsi))
  }

  /// The identities for which each condition holds, by its label.
  func found(
    _ rules: Ruleset, types: Set<TAC>, reported: [IMEI: GroundCode]
  ) -> [String: Set<String>] {
    var found: [String: Set<String>] = [:]
    var scratch = Scratch()
    for (identity, uses) in uses {
      let rows = uses.map { use, seen in
        SeenRow(
          operatorNumber: Int32(use.operatorIndex), imsi: use.imsi, msisdn: use.msisdn,
          month: UInt8(use.month - rules.period.firstMonth), days: seen.days,
          technologies: seen.technologies)
      }
      let matching = rows.withUnsafeBufferPointer { rows in
        var evidence = Evidence(imei: imeis[identity], rows: rows)
        if let imei = evidence.imei {
          evidence.type = TypeFacts(isAllocated: types.contains(imei.tac))
          evidence.grounds = reported[imei].map { GroundCodeSet($0) } ?? []
        }
        return rules.matching(evidence, using: &scratch)
      }
      for (index, condition) in rules.conditions.enumerated()
      where matching & 1 << UInt64(index) != 0 {
        found[condition.label, default: []].insert(identity)
      }
    }
    return found
  }
}

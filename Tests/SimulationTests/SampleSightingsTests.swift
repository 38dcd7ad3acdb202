import DeviceIdentity
import DeviceLists
import DeviceRules
import Foundation
import RegistryFiles
import Simulation
import Testing

@Suite struct SampleSightingsTests {
  @Test func `the same seed gives the same bytes, another seed others`() throws {
    try inFolder { folder in
      var names: [String] = []
      for (place, seed) in [("a", 5), ("b", 5), ("c", 6)] as [(String, UInt64)] {
        let sightings = try sample(devices: 800, stolen: 20, seed: seed)
        names = try written(sightings, to: "\(folder)/\(place)").dumps.map(\.name)
      }
      #expect(
        names == [
          "alfa_20251201_20251231.csv", "alfa_20260101_20260101.csv",
          "corrected/alfa_20251201_20251231.csv", "beta_20251201_20251231.csv",
          "beta_20260101_20260101.csv",
        ])
      for name in names + ["truth.json"] {
        let first = try bytes(of: "\(folder)/a/\(name)")
        #expect(!first.isEmpty)
        #expect(try bytes(of: "\(folder)/b/\(name)") == first)
        #expect(try bytes(of: "\(folder)/c/\(name)") != first)
      }
    }
  }

  @Test(arguments: ["2025-12-01", "2026-02-01", "2028-02-01", "2026-04-01"])
  func `an importer takes every line but those that were planted for refusal`(
    month: String
  ) throws {
    let sightings = try sample(devices: 1_500, stolen: 40, seed: 11, month: month)
    try inFolder { folder in
      let (_, dumps) = try written(sightings, to: folder)
      for dump in dumps {
        var seen = SeenBack()
        let reading = try seen.read("\(folder)/\(dump.name)", of: sightings.country)
        #expect(reading.lines == dump.lines)
        let refused: [RefusalCode: Int] =
          dump.refused == 0
          ? [:] : [.spreadsheetNumber: 1, .notADigit: 1, .unknownTechnology: 1]
        #expect(reading.refused == refused)
        #expect(reading.refused.values.reduce(0, +) == dump.refused)
        #expect(reading.failing == [])
        #expect(dump.lines > 100)
      }
    }
  }

  /// On the real list of types: the conditions of the demonstration find what was planted, all of
  /// it and nothing else; the day after, the corrected file clears whom it should and nobody else.
  @Test(arguments: [(2_000, 40, 7, "2025-12-01"), (1_200, 60, 8, "2026-02-01")])
  func `the conditions find what was planted and no innocent`(
    devices: Int, stolen: Int, seed: UInt64, month: String
  ) throws {
    print("seed \(seed)")
    let types = try SampleTypes.read(ByteSource(path: data("tac/osmocom-tac.csv")), fileName: "t")
    let sightings = try sample(
      devices: devices, stolen: stolen, seed: seed, month: month, types: types)
    try inFolder { folder in
      let (truth, dumps) = try written(sightings, to: folder)
      let reported = try reports("\(folder)/stolen.csv", sightings.country.asOf)
      let planted = Dictionary(
        uniqueKeysWithValues: SampleKind.allCases.compactMap { kind in
          kind.condition.map { ($0, Set(truth.identities(kind))) }
        })
      #expect(planted.values.allSatisfy { !$0.isEmpty })
      var seen = SeenBack()
      for dump in dumps where isOfMonth(dump) { try read(dump, in: folder, sightings, &seen) }
      let lastDay = Day(sightings.firstDay) + sightings.dayCount - 1
      let first = seen.found(try rules(asOf: lastDay), types: Set(types), reported: reported)
      #expect(first == planted)
      try expect(truth, isSeenIn: seen, of: sightings, reported: reported)

      var next = SeenBack()
      for dump in dumps where !isReplaced(dump) { try read(dump, in: folder, sightings, &next) }
      let second = next.found(
        try rules(asOf: lastDay + 1), types: Set(types), reported: reported)
      var left = planted
      let cleared = truth.clones.filter(\.isBillingError).map(\.imei.dialled)
      #expect(cleared.count == sightings.billingErrorCount && !cleared.isEmpty)
      left["duplicates"]?.subtract(cleared)
      #expect(left["duplicates"]?.isEmpty == false)
      #expect(second == left)
      #expect(cleared.allSatisfy { next.subscribers($0).count == 1 })
    }
  }

  private func isOfMonth(_ dump: SampleDump) -> Bool {
    !dump.name.hasPrefix("corrected") && !dump.name.hasSuffix("01.csv")
  }

  /// By the corrected file.
  private func isReplaced(_ dump: SampleDump) -> Bool {
    isOfMonth(dump) && dump.name.hasPrefix("alfa")
  }

  private func read(
    _ dump: SampleDump, in folder: String, _ sightings: SampleSightings, _ seen: inout SeenBack
  ) throws {
    _ = try seen.read("\(folder)/\(dump.name)", of: sightings.country)
  }

  private func expect(
    _ truth: SampleTruth, isSeenIn seen: SeenBack, of sightings: SampleSightings,
    reported: [IMEI: GroundCode]
  ) throws {
    var subscribers: [SampleKind: Int] = [:]
    for kind in SampleKind.allCases {
      let identities = truth.identities(kind)
      #expect(Set(identities).count == identities.count)
      #expect(identities.allSatisfy { seen.uses[$0] != nil }, "\(kind)")
      subscribers[kind] = identities.map { seen.subscribers($0).count }.max()
      let slots = kind == .swappedSlots ? 2 : 1
      if kind != .stolenInUse { #expect(identities.count == slots * sightings.count(kind)) }
    }
    #expect(subscribers[.families] == 3)
    #expect(subscribers[.changedHands] == 2)
    #expect(subscribers[.swappedSlots] == 2)
    #expect(subscribers[.roamers] == 1)
    #expect(subscribers[.shopDemos] == SampleSightings.mostInnocentSubscribers)
    for clone in truth.clones {
      let users = seen.subscribers(clone.imei.dialled)
      #expect(users.count == clone.subscribers && (21...61).contains(users.count))
      #expect(users.contains(try clone.owner.imsi().packed))
    }
    let crossing = truth.clones.filter { clone in
      Set((seen.uses[clone.imei.dialled] ?? [:]).keys.map(\.operatorIndex)).count == 2
    }
    #expect(!crossing.isEmpty)
    let inUse = Set(truth.identities(.stolenInUse))
    #expect(inUse.count >= sightings.count(.stolenInUse))
    for imei in reported.keys where seen.uses[imei.dialled] != nil {
      #expect(inUse.contains(imei.dialled))
    }
  }

  @Test func `each number is as it was asked for`() throws {
    let asked = Dictionary(
      uniqueKeysWithValues: SampleKind.allCases.enumerated().map { ($1, $0 + 1) })
    try inFolder { folder in
      let sightings = try sample(devices: 300, stolen: 30, seed: 3, counts: asked)
      let truth = try written(sightings, to: folder).truth
      for (kind, count) in asked where kind != .stolenInUse && kind != .swappedSlots {
        #expect(truth.identities(kind).count == count, "\(kind)")
      }
      let none = Dictionary(uniqueKeysWithValues: SampleKind.allCases.map { ($0, 0) })
      let plain = try sample(devices: 300, stolen: 30, seed: 3, counts: none)
      let nothing = try written(plain, to: "\(folder)/plain").truth
      #expect(SampleKind.allCases.allSatisfy { nothing.identities($0).isEmpty })
      _ = try JSONDecoder().decode(
        TruthDocument.self, from: try bytes(of: "\(folder)/plain/truth.json"))
      let document = try JSONDecoder().decode(
        TruthDocument.self, from: try bytes(of: "\(folder)/truth.json"))
      for (kind, list) in document.planted.merging(document.innocents, uniquingKeysWith: { $1 }) {
        let kind = try #require(SampleKind(rawValue: kind))
        #expect(list.identities == truth.identities(kind) && list.count == list.identities.count)
        #expect(list.condition == kind.condition)
      }
      #expect(document.planted.count + document.innocents.count == SampleKind.allCases.count)
      #expect(document.clones.map(\.imei) == truth.identities(.clones))
      #expect(
        document.clearedByCorrection
          == truth.clones.filter(\.isBillingError).map(\.imei.dialled))
    }
  }

  @Test(arguments: [
    (SampleKind.clones, 271), (.stolenInUse, 31), (.placeholders, 15), (.roamers, 50_001),
    (.mangled, -1),
  ])
  func `a number that cannot be is refused`(kind: SampleKind, count: Int) throws {
    let error = #expect(throws: SimulationError.self) {
      try sample(devices: 300, stolen: 30, seed: 3, counts: [kind: count])
    }
    #expect(error?.description.contains(kind.rawValue) == true)
  }

  @Test func `there is a condition for each kind, and the placeholders are those of the settings`()
    throws
  {
    let labels = Set(SampleKind.allCases.compactMap(\.condition))
    #expect(Set(try conditions().map(\.label)) == labels)
    let known = Set(RuleSettings.usualPlaceholders)
    #expect(known.isSubset(of: SampleSightings.placeholders.map(\.description)))
    #expect(Set(SampleSightings.placeholders).count == 14)
  }
}

/// `truth.json`
private struct TruthDocument: Decodable {
  struct Kind: Decodable {
    let condition: String?
    let count: Int
    let identities: [String]
  }

  struct Clone: Decodable { let imei: String }

  let planted: [String: Kind]
  let innocents: [String: Kind]
  let clearedByCorrection: [String]
  let clones: [Clone]
}

extension SampleSightingsTests {
  /// On 200 types from 35000000 on, unless others are given.
  private func sample(
    devices: Int, stolen: Int, seed: UInt64, month: String = "2025-12-01", types: [TAC]? = nil,
    counts: [SampleKind: Int] = [:]
  ) throws -> SampleSightings {
    let country = try SampleCountry(
      types: types ?? (0..<200).compactMap { TAC(number: 35_000_000 + $0) },
      deviceCount: devices, stolenDeviceCount: stolen, seed: seed,
      asOf: try #require(CivilDate("2026-01-01")))
    return try SampleSightings(
      of: country, month: try #require(CivilDate(month)), counts: counts)
  }

  private func written(
    _ sightings: SampleSightings, to folder: String
  ) throws -> (truth: SampleTruth, dumps: [SampleDump]) {
    _ = try sightings.country.write(to: folder)
    return try sightings.write(to: folder)
  }

  /// Those of the demonstration; a file has the name of its label.
  private func conditions() throws -> [Condition] {
    let names = try FileManager.default.contentsOfDirectory(atPath: data("conditions")).sorted()
    return try names.map { name in
      let condition = try JSONDecoder().decode(
        Condition.self, from: try bytes(of: data("conditions/\(name)")))
      #expect(name == "\(condition.label).json")
      return condition
    }
  }

  private func rules(asOf day: Day) throws -> Ruleset {
    try Ruleset(
      conditions: try conditions(),
      settings: try JSONDecoder().decode(
        RuleSettings.self, from: try bytes(of: data("rule-settings.json"))),
      networks: [try PLMN("00101"), try PLMN("00102")], asOf: day)
  }

  private func reports(_ path: String, _ asOf: CivilDate) throws -> [IMEI: GroundCode] {
    var file = try StolenListFile(
      ByteSource(path: path), fileName: path, options: .init(asOf: asOf))
    var reports: [IMEI: GroundCode] = [:]
    while let line = try file.next() {
      if case .row(let report) = line { reports[report.imei] = report.ground }
    }
    return reports
  }

  private func bytes(of path: String) throws -> Data {
    try Data(contentsOf: URL(filePath: path))
  }

  /// A folder that is removed afterwards.
  private func inFolder(_ work: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "sample-sightings-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let result = Result { try work(folder.path()) }
    try FileManager.default.removeItem(at: folder)
    try result.get()
  }
}

/// Below Tests/Simulation/Data.
private func data(_ name: String) -> String {
  #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" }
    + "/Simulation/Data/\(name)"
}

import DeviceIdentity
import DeviceLists
import Foundation
import RegistryFiles
import Simulation
import Testing

@Suite struct SampleCountryTests {
  @Test(arguments: [(2, 1, 1), (50, 7, 2), (3_000, 300, 3), (20_000, 5_000, 4)])
  func `the importer makes of both lists what the generator expects`(
    devices: Int, stolen: Int, seed: UInt64
  ) throws {
    print("seed \(seed)")
    let country = try sample(devices: devices, stolen: stolen, seed: seed)
    try inFolder { folder in
      let files = try country.write(to: folder)
      let clean = try report("\(folder)/stolen.csv", country.asOf)
      #expect(clean.isSpotless)
      #expect(clean.rowsKept == files.stolen.rowsKept)
      let dirty = try report("\(folder)/stolen-dirty.csv", country.asOf)
      #expect(dirty.rowsKept == files.dirty.rowsKept)
      #expect(dirty.refused == files.dirty.refused)
      #expect(files.dirty.rowsKept == files.stolen.rowsKept)
      let ofOtherFiles: Set<RefusalCode> = [
        .dateOutside, .unknownTechnology, .unknownChange, .malformedText,
      ]
      #expect(
        Set(files.dirty.refused.keys) == Set(RefusalCode.allCases).subtracting(ofOtherFiles))
    }
  }

  @Test func `the same seed gives the same bytes, another seed others`() throws {
    try inFolder { folder in
      for (name, seed) in [("a", 5), ("b", 5), ("c", 6)] as [(String, UInt64)] {
        _ = try sample(devices: 2_000, stolen: 100, seed: seed).write(to: "\(folder)/\(name)")
      }
      for file in ["devices.csv", "stolen.csv", "stolen-dirty.csv", "summary.json"] {
        let first = try bytes(of: "\(folder)/a/\(file)")
        #expect(!first.isEmpty)
        #expect(try bytes(of: "\(folder)/b/\(file)") == first)
        #expect(try bytes(of: "\(folder)/c/\(file)") != first)
      }
    }
  }

  @Test func `identities are valid, unique, of listed types and of the two networks`() throws {
    let types = try SampleTypes.read(ByteSource(path: osmocomList), fileName: "tac.csv")
    let asOf = try #require(CivilDate(year: 2026, month: 1, day: 1))
    let country = try SampleCountry(
      types: types, deviceCount: 30_000, stolenDeviceCount: 300, seed: 9, asOf: asOf)
    var imeis: Set<IMEI> = []
    var subscribers: Set<IMSI> = []
    var devicesOfType: [TAC: Int] = [:]
    var imeiCount = 0
    var ofAlfa = 0
    for number in 0..<country.deviceCount {
      let device = country.device(number)
      #expect(device == country.device(number))
      #expect((1...2).contains(device.subscribers.count))
      #expect(device.subscribers.count <= device.imeis.count)
      imeiCount += device.imeis.count
      imeis.formUnion(device.imeis)
      devicesOfType[device.imeis[0].tac, default: 0] += 1
      for subscriber in device.subscribers {
        let imsi = try subscriber.imsi()
        _ = try subscriber.msisdn()
        #expect(subscribers.insert(imsi).inserted)
        #expect(country.operators[subscriber.operatorIndex].plmn.contains(imsi))
        ofAlfa += subscriber.operatorIndex == 0 ? 1 : 0
      }
    }
    #expect(imeis.count == imeiCount)
    #expect(Set(imeis.map(\.tac)).isSubset(of: types))
    #expect(imeis.allSatisfy { !$0.isPlaceholder })
    #expect((0.55...0.65).contains(Double(ofAlfa) / Double(subscribers.count)))
    let most = devicesOfType.values.max() ?? 0
    #expect(most > 20 * country.deviceCount / types.count)
  }

  @Test func `no device is reported twice, and some never`() throws {
    let country = try sample(devices: 1_000, stolen: 900, seed: 3)
    let order = (0..<country.deviceCount).map(country.reportedDevice)
    #expect(Set(order) == Set(0..<country.deviceCount))
    for index in 0..<country.stolenDeviceCount {
      let device = country.device(country.reportedDevice(index))
      let reports = country.reports(index)
      #expect(reports.map(\.imei) == device.imeis)
      #expect(Set(reports.map(\.caseReference)).count == 1)
      #expect(reports.allSatisfy { $0.reportedOn.map { $0 <= country.asOf } ?? true })
    }
  }

  @Test(arguments: [(1, 1, 10), (10, 0, 10), (10, 10, 10), (10, 1, 0), (3_000_000, 1, 2)])
  func `a country that cannot be is refused`(devices: Int, stolen: Int, typeCount: Int) throws {
    let types = (0..<typeCount).compactMap { TAC(number: 35_000_000 + UInt32($0)) }
    let asOf = try #require(CivilDate(year: 2026, month: 1, day: 1))
    #expect(throws: SimulationError.self) {
      try SampleCountry(
        types: types, deviceCount: devices, stolenDeviceCount: stolen, seed: 1, asOf: asOf)
    }
  }

  @Test func `a folder that cannot be made is named`() throws {
    let country = try sample(devices: 10, stolen: 1, seed: 1)
    let error = #expect(throws: SimulationError.self) { try country.write(to: "/proc/none") }
    #expect(error?.description.hasPrefix("/proc/none cannot be written: ") == true)
  }

  /// On 200 types from 35000000 on.
  private func sample(devices: Int, stolen: Int, seed: UInt64) throws -> SampleCountry {
    try SampleCountry(
      types: (0..<200).compactMap { TAC(number: 35_000_000 + $0) }, deviceCount: devices,
      stolenDeviceCount: stolen, seed: seed,
      asOf: try #require(CivilDate(year: 2026, month: 1, day: 1)))
  }

  private func report(_ path: String, _ asOf: CivilDate) throws -> FileReport {
    var file = try StolenListFile(
      ByteSource(path: path), fileName: path, options: .init(asOf: asOf))
    while try file.next() != nil {}
    return file.report
  }

  private func bytes(of path: String) throws -> Data {
    try Data(contentsOf: URL(filePath: path))
  }

  /// A folder that is removed afterwards.
  private func inFolder(_ work: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "sample-country-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let result = Result { try work(folder.path()) }
    try FileManager.default.removeItem(at: folder)
    try result.get()
  }
}

/// Tests/Simulation/Data/tac, with its notice.
private let osmocomList =
  #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" }
  + "/Simulation/Data/tac/osmocom-tac.csv"

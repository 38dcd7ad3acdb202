import DeviceIdentity
import DeviceLists
import LocalPostgreSQL
import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// Lists on which every rule of the decision has something to say, and devices to ask about, half
/// of them on or beside an entry. One ground on each subject, so that its entry is known.
struct AgreementLists {
  struct Question {
    var device: IMEI
    /// As a network element signals it: 14, 15 or 16 digits.
    var imei: String
    var imsi: String?

    var query: CheckQuery {
      get throws {
        let subscriber = try imsi.map { text in try IMSI(text) }
        return CheckQuery(identity: .device(IMEISV(imei: device)), imsi: subscriber)
      }
    }
  }

  /// Fewer black ones than what stops a node's brake.
  private static let devicesOfGround: [(code: GroundCode, count: Int)] = [
    (.stolen, 200), (.duplicate, 150), (.fraud, 50), (.ownershipClaim, 100), (.registered, 100),
    (.protected, 50),
  ]
  private static let typesOfGround: [GroundCode] = [
    .barredTac, .notApproved, .ownershipClaim, .typeApproved,
  ]
  private static let rangesOfGround: [GroundCode] = [
    .fraud, .registered, .ownershipClaim, .foreignBlock, .registered, .ownershipClaim,
  ]
  /// The first is of the operator's own network, the second of nobody's here.
  private static let subscribers = ["001010000000001", "999700000000002"]

  private(set) var grounds: [(subject: Subject, code: GroundCode)] = []
  private var generator: SeededGenerator
  private var taken: Set<IMEI> = []

  init(seed: UInt64) throws {
    generator = SeededGenerator(seed: seed)
    let types = try Self.typesOfGround.map { code in
      (try #require(TAC(number: .random(in: 30_000_000..<40_000_000, using: &generator))), code)
    }
    for (type, code) in types { grounds.append((.tac(type), code)) }
    for code in Self.rangesOfGround {
      let first = device()
      let last = try #require(IMEI(number: first.number + 999))
      grounds.append((.range(try #require(IMEIRange(first: first, last: last))), code))
    }
    for (code, count) in Self.devicesOfGround {
      for number in 0..<count {
        // Some of them are of a type that is listed, too.
        let type = number % 5 == 0 ? types[number / 5 % types.count].0 : nil
        try addDevice(code, of: type, isPaired: number % 3 == 0)
      }
    }
  }

  private mutating func addDevice(
    _ code: GroundCode, of type: TAC?, isPaired: Bool
  ) throws {
    var device = device()
    if let type {
      device = try #require(IMEI(tac: type, serial: UInt32(device.number % 1_000_000)))
    }
    guard taken.insert(device).inserted else { return }
    grounds.append((.imei(device), code))
    guard isPaired else { return }
    let subscriber = try IMSI(Self.subscribers[Int(device.number % 2)])
    grounds.append((.pairing(Pairing(imei: device, imsi: subscriber)), .genuineOwner))
  }

  private mutating func device() -> IMEI {
    IMEI(unchecked: .random(in: 10_000_000_000_000..<99_000_000_000_000, using: &generator))
  }

  /// What a node of the operator holds.
  func list(asOf now: Instant) -> NaiveList {
    let entries = grounds.map { subject, code in
      Entry(
        subject: subject, scope: .all,
        entryClass: EntryClass(
          status: code.defaultStatus, codes: GroundCodeSet(code), isOverridable: code.isOverridable)
      )
    }
    return NaiveList(
      head: ListHead(
        epoch: Epoch(high: 1, low: 1), position: .start, digest: .zero, issuedAt: now),
      entries: entries)
  }

  // MARK: - Into the registry

  /// What the police reports, for `ceir import stolen`.
  var stolenFile: String {
    let reported = grounds.compactMap { ground -> String? in
      guard case .imei(let imei) = ground.subject, ground.code == .stolen else { return nil }
      return imei.dialled
    }
    return (["imei"] + reported).joined(separator: "\n") + "\n"
  }

  /// Everything else, for which there is no command: into the database of a CEIR that runs.
  func add(toRegistryIn dataDirectory: String) async throws {
    let local = LocalPostgreSQL(LocalPostgreSQLConfiguration(dataDirectory: dataDirectory))
    let pool = PostgreSQLPool(
      PostgreSQLConfiguration(
        connectionString: local.connectionString(
          role: RegistryStore.Role.service.rawValue, database: "ceir"),
        setUpStatements: [RegistryStore.searchPath]))
    let grounds = grounds.filter { ground in
      if case .imei = ground.subject { ground.code != .stolen } else { true }
    }
    try await RegistryStore(pool: pool).write { registry in
      for (subject, code) in grounds {
        _ = try await registry.addGround(
          NewGround(on: subject, code: code, source: "regulator", caseReference: "1"),
          by: "a test")
      }
    }
    await pool.close()
  }

  // MARK: - Questions

  mutating func questions(_ count: Int) -> [Question] {
    (0..<count).map { number in
      let near = number % 2 == 0 ? grounds.randomElement(using: &generator)?.subject : nil
      var device = near.map { self.device(near: $0) } ?? self.device()
      if generator.one(in: 5) { device = IMEI(number: device.number + 1) ?? device }
      let end = ["", String(device.checkDigit), "07"].randomElement(using: &generator) ?? ""
      let imsi = generator.one(in: 3) ? nil : Self.subscribers.randomElement(using: &generator)
      return Question(device: device, imei: device.description + end, imsi: imsi)
    }
  }

  private mutating func device(near subject: Subject) -> IMEI {
    switch subject {
    case .imei(let imei): return imei
    case .pairing(let pairing): return pairing.imei
    case .tac(let type):
      return IMEI(tac: type, serial: .random(in: 0..<1_000_000, using: &generator)) ?? device()
    case .range(let range):
      let number = UInt64.random(
        in: range.first.number - 100...range.last.number + 100, using: &generator)
      return IMEI(number: number) ?? range.first
    }
  }
}

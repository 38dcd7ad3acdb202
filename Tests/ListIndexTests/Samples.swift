import DeviceIdentity
import DeviceLists
import Simulation

@testable import ListIndex

enum Samples {
  static let ownOperator = OperatorCode("op1")!
  static let feed = Feed(of: ownOperator)
  static let registry = RegistryName("test-registry")!
  static let epoch = Epoch(high: 0x1122_3344, low: 0x5566_7788)
  static let now = Instant(secondsSinceEpoch: 1_800_000_000)
  /// Few types, few subscribers: so that random subjects meet.
  static let tacs: [UInt32] = [0, 1, 35_111_111, 35_111_112, 86_999_999, 99_999_999]

  static func head(
    _ content: IndexContent = .feed(feed), position: UInt64 = 0,
    digests: ScopeDigests = ScopeDigests()
  ) -> IndexHead {
    IndexHead(
      registry: registry, content: content, epoch: epoch, position: Position(position),
      digests: digests, issuedAt: now)
  }

  static func subject(using random: inout SeededGenerator) -> Subject {
    switch random.below(10) {
    case 0: return .tac(TAC(number: tacs[random.below(tacs.count)])!)
    case 1, 2:
      let first = imei(using: &random)
      let length = [0, 1, 5, 999, 2_000_000][random.below(5)]
      let last = min(first.number + UInt64(length), 99_999_999_999_999)
      return .range(IMEIRange(first: first, last: IMEI(number: last)!)!)
    case 3, 4:
      let imsi = IMSI(packed: 15_000_000_000_000_000 + 262_010_000_000_000 + random.next() % 4)!
      return .pairing(Pairing(imei: imei(using: &random), imsi: imsi))
    default: return .imei(imei(using: &random))
    }
  }

  static func imei(using random: inout SeededGenerator) -> IMEI {
    let tac = TAC(number: tacs[random.below(tacs.count)])!
    let serial = [0, 255, 256, 999_999, random.below(40), random.below(40) * 257][random.below(6)]
    return IMEI(tac: tac, serial: UInt32(serial))!
  }

  static func entryClass(using random: inout SeededGenerator) -> EntryClass {
    let statuses: [(ListStatus, [GroundCode])] = [
      (.black, [.stolen, .lost, .fraud, .courtOrder]), (.grey, [.duplicate, .ownershipClaim]),
      (.white, [.protected, .released, .registered, .genuineOwner]),
    ]
    let (status, codes) = statuses[random.below(3)]
    let some = codes.filter { _ in random.below(2) == 0 }
    return EntryClass(
      status: status, codes: GroundCodeSet(some.isEmpty ? [codes[0]] : some),
      isOverridable: random.below(2) == 0)
  }
}

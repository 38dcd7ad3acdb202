import Crypto
import DeviceIdentity
import DeviceLists
import DeviceRules
import RegistryStore

/// Reference data of a run that is looked up and not streamed: some hundred bytes for each type,
/// and 16 for each subscriber that the registry of persons names.
struct RuleReference: Sendable {
  /// A person of whom no subscriber is known.
  static let stranger = UInt32.max

  private(set) var types: [UInt32: TypeFacts] = [:]
  private var barredTypes: Set<UInt32> = []
  /// MD5 of fourteen digits, in lower-case hexadecimal.
  private var golden: Set<String> = []
  /// By packed IMSI.
  private(set) var people: [UInt64: UInt32] = [:]
  private(set) var personNumbers: [String: UInt32] = [:]
  private(set) var devicesOfSubscribers: [UInt64: UInt32] = [:]

  /// Before anything is read.
  init() {}

  init(
    _ registry: RegistryTransaction, for ruleset: Ruleset, settings: RuleSettings,
    months: [CivilDate]
  ) async throws {
    if !ruleset.needs.isDisjoint(with: [.types, .seenBefore]) {
      types = try await Self.types(registry, settings)
    }
    if ruleset.needs.contains(.lists) {
      barredTypes = Set(try await registry.barredTypes())
      golden = Set(try await registry.referenceTexts("golden"))
    }
    if !ruleset.needs.isDisjoint(with: [.people, .owners]) {
      for (imsi, person) in try await registry.subscribersOfPersons() {
        let number = personNumbers[person] ?? UInt32(personNumbers.count + 1)
        personNumbers[person] = number
        people[imsi] = number
      }
    }
    if ruleset.needs.contains(.devicesOfSubscriber) {
      devicesOfSubscribers = try await registry.devicesOfSubscribers(months: months, atLeast: 2)
    }
  }

  /// What all types of one manufacturer and model support counts for each of them: a list that
  /// names bands for one of them only is common.
  private static func types(
    _ registry: RegistryTransaction, _ settings: RuleSettings
  ) async throws -> [UInt32: TypeFacts] {
    let approved = Set(try await registry.approvedTypes())
    let rows = try await registry.typeRows()
    var generations: [String: RadioGenerations] = [:]
    func model(_ row: TypeRow) -> String { "\(row.manufacturer)\u{0}\(row.model)" }
    for row in rows {
      generations[model(row), default: []].formUnion(RadioGenerations(bands: row.bands))
    }
    var types: [UInt32: TypeFacts] = [:]
    types.reserveCapacity(rows.count)
    for row in rows {
      types[row.tac] = TypeFacts(
        isAllocated: true, generations: generations[model(row)] ?? [],
        isExempt: settings.isExempt(deviceType: row.deviceType),
        isApproved: approved.contains(row.tac))
    }
    for tac in approved where types[tac] == nil { types[tac] = TypeFacts(isApproved: true) }
    return types
  }

  func lists(_ imei: IMEI, _ grounds: GroundCodeSet) -> ListMembership {
    var lists: ListMembership = []
    if barredTypes.contains(imei.tac.number) { lists.insert(.barredType) }
    if grounds.contains(.notApproved) { lists.insert(.barred) }
    if grounds.contains(.protected) { lists.insert(.golden) }
    if !golden.isEmpty {
      let hash = Insecure.MD5.hash(data: Array(imei.description.utf8))
      if golden.contains(Hexadecimal.text(Array(hash))) { lists.insert(.golden) }
    }
    return lists
  }
}

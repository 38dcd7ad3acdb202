/// What a sample country's networks see beside ordinary devices, each with a known number: some
/// that rules must find, and some that look alike and must not be found.
package enum SampleKind: String, CaseIterable, Sendable {
  /// A genuine IMEI that copies use too, each with a subscriber of its own.
  case clones
  /// A type that is in no list of allocations, seen for longer than its reporting body takes.
  case fakeTypes
  /// Reported, and in use.
  case stolenInUse
  /// New subscribers every day, whose telephone numbers are in arithmetic progression.
  case simBoxes
  /// What software writes into devices that have lost their identity.
  case placeholders
  /// What is no IMEI at all.
  case mangled

  /// A type that is not yet in the list, and was first seen only days ago.
  case newTypes
  /// A type that is not yet in the list, of a body that takes longer than a month.
  case slowBodies
  /// Two or three SIM cards in one device.
  case families
  /// Sold in the middle of the month.
  case changedHands
  /// Two slots whose two SIM cards change places.
  case swappedSlots
  /// Used by subscribers of other countries, in both networks.
  case roamers
  /// With a test type, and the cards of a laboratory.
  case testDevices
  /// Tried by customers, fewer than the threshold.
  case shopDemos

  /// The label of the condition that must find them; nil: none may.
  package var condition: String? {
    switch self {
    case .clones: "duplicates"
    case .fakeTypes: "tac-not-allocated"
    case .stolenInUse: "stolen-in-use"
    case .simBoxes: "sim-box"
    case .placeholders: "placeholder"
    case .mangled: "malformed"
    case .newTypes, .slowBodies, .families, .changedHands, .swappedSlots, .roamers, .testDevices,
      .shopDemos:
      nil
    }
  }

  package var meaning: String {
    switch self {
    case .clones: "genuine IMEIs with 20 to 60 more subscribers each"
    case .fakeTypes: "devices of types that are in no list, seen all month"
    case .stolenInUse: "reported devices that are still seen; the others are not"
    case .simBoxes: "four new subscribers a day, numbers in equal steps"
    case .placeholders: "such as 000000000000000, 40 subscribers each; at most 14"
    case .mangled: "identities with letters, signs or too few digits"
    case .newTypes: "devices of types that are in no list, seen a few days"
    case .slowBodies: "the same of bodies that may take longer than a month"
    case .families: "devices with two or three SIM cards"
    case .changedHands: "devices with another subscriber since mid-month"
    case .swappedSlots: "dual-SIM devices whose SIM cards change places"
    case .roamers: "devices of subscribers from other countries"
    case .testDevices: "devices of test types with five SIM cards each"
    case .shopDemos: "devices with nine subscribers of a day or two each"
    }
  }

  /// Beside so many devices.
  func usualCount(devices: Int, stolen: Int) -> Int {
    switch self {
    case .clones: min(max(3, devices / 1_000), max(0, devices - stolen))
    case .fakeTypes: max(4, devices / 500)
    case .stolenInUse: max(1, stolen / 4)
    case .simBoxes: max(2, devices / 5_000)
    case .placeholders: 5
    case .mangled: max(5, devices / 1_000)
    case .newTypes, .slowBodies: max(3, devices / 2_000)
    case .families, .changedHands, .swappedSlots: max(3, devices / 1_000)
    case .roamers: max(4, devices / 50)
    case .testDevices: 2
    case .shopDemos: 3
    }
  }
}

package import DeviceIdentity

/// What rules must find.
extension SampleSightings {
  /// All digits equal, or written by faulty software into devices all over the world.
  package static let placeholders: [IMEI] = {
    let known: [UInt64] = [440_015_202_000, 499_901_064_000, 13_579_024_681_122]
    let counting: UInt64 = 12_345_678_901_234
    let equal = (0...9).map { $0 * 11_111_111_111_111 as UInt64 }
    return [equal[0], known[0], equal[1], counting, known[1], known[2]].compactMap(IMEI.init)
      + equal.dropFirst(2).compactMap(IMEI.init)
  }()

  static let subscribersOfAPlaceholder = 40
  static let subscribersOfASIMBoxPerDay = 4
  static let copiesOfAClone: ClosedRange<UInt64> = 20...60
  /// Their TACs reach the list within 20 days; no type is ever reported by the last.
  static let bodiesOfFakeTypes = [35, 86, 91, 52]

  /// Everything of the country that is not reported, and the reported devices that are in use.
  func writeOrdinary(_ files: SightingFiles) throws(SimulationError) {
    for index in 0..<country.deviceCount {
      let isReported = index < country.stolenDeviceCount
      guard !isReported || index < count(.stolenInUse) else { continue }
      let device = country.device(country.reportedDevice(index))
      for (slot, subscriber) in device.subscribers.enumerated() {
        let card = 2 * device.number + slot
        var days = usualDays(card)
        if isReported {
          days |= day(dayCount - 1)
          files.truth.note(.stolenInUse, device.imeis[slot])
        }
        try files.take(
          seen(.imei(device.imeis[slot]), SeenSubscriber(subscriber), card, days),
          at: subscriber.operatorIndex)
      }
    }
  }

  func writePlanted(_ files: SightingFiles) throws(SimulationError) {
    try writeClones(files)
    try writeFakeTypes(files)
    try writeSIMBoxes(files)
    try writePlaceholders(files)
    try writeMangled(files)
  }

  /// The owner goes on using the device: the country's own lines are there already.
  private func writeClones(_ files: SightingFiles) throws(SimulationError) {
    for index in 0..<count(.clones) {
      let device = country.device(country.reportedDevice(country.stolenDeviceCount + index))
      let owner = device.subscribers[0]
      let isBillingError = index < billingErrorCount
      let spread = country.chance.draw(.copies, index) % UInt64(Self.copiesOfAClone.count)
      let copies = Int(Self.copiesOfAClone.lowerBound + spread)
      for copy in 0..<copies {
        let card = cardNumber(.clones, index, copy)
        let isSpread = index.isMultiple(of: 2)
        let user = country.subscriber(
          card, operatorIndex: isBillingError ? 0 : isSpread ? nil : owner.operatorIndex)
        var one = seen(.imei(device.imeis[0]), SeenSubscriber(user), card, usualDays(card))
        if isBillingError { one = one.asBillingError(without: day(dayCount)) }
        try files.take(one, at: user.operatorIndex)
      }
      files.truth.noteClone(
        device.imeis[0], owner: owner, subscribers: copies + 1, isBillingError: isBillingError)
    }
  }

  private func writeFakeTypes(_ files: SightingFiles) throws(SimulationError) {
    for index in 0..<count(.fakeTypes) {
      let number = index / Self.devicesPerFakeType
      let body = Self.bodiesOfFakeTypes[number % Self.bodiesOfFakeTypes.count]
      let card = cardNumber(.fakeTypes, index)
      let firstDay = day(Int(country.chance.draw(.firstDay, card) % 3))
      try writeFreeType(
        files, .fakeTypes, index, type: freeType(number, series: 0, body: body),
        days: usualDays(card) | firstDay)
    }
  }

  /// One device with a subscriber of its own. Devices of one type follow each other.
  func writeFreeType(
    _ files: SightingFiles, _ kind: SampleKind, _ index: Int, type: TAC?, days: UInt32
  ) throws(SimulationError) {
    let card = cardNumber(kind, index)
    let part = 1_000_000 / Self.devicesPerFakeType
    let drawn = Int(country.chance.draw(.serials, card) % UInt64(part))
    let serial = index % Self.devicesPerFakeType * part + drawn
    guard let type, let imei = IMEI(tac: type, serial: UInt32(serial)) else {
      throw SimulationError(.badConstant("a type that is not allocated"))
    }
    let user = country.subscriber(card)
    try files.take(
      seen(.imei(imei), SeenSubscriber(user), card, days), at: user.operatorIndex)
    files.truth.note(kind, imei)
  }

  private func writeSIMBoxes(_ files: SightingFiles) throws(SimulationError) {
    for index in 0..<count(.simBoxes) {
      let imei = moreIMEI(.simBoxes, index)
      let operatorIndex = index % 2
      let step = 1 + country.chance.draw(.numbers, cardNumber(.simBoxes, index)) % 5
      let range = UInt64(Self.subscribersOfADevice) * step
      let first =
        country.chance.draw(.numbers, ~cardNumber(.simBoxes, index))
        % (SampleCountry.subscribersPerCountry - range)
      for place in 0..<(dayCount + 1) * Self.subscribersOfASIMBoxPerDay {
        let card = cardNumber(.simBoxes, index, place)
        let user = country.subscriber(card, operatorIndex: operatorIndex)
        let subscriber = SeenSubscriber(
          network: SeenSubscriber(user).network, imsiNumber: user.number,
          msisdnNumber: first + UInt64(place) * step)
        let today = day(place / Self.subscribersOfASIMBoxPerDay)
        try files.take(seen(.imei(imei), subscriber, card, today), at: operatorIndex)
      }
      files.truth.note(.simBoxes, imei)
    }
  }

  private func writePlaceholders(_ files: SightingFiles) throws(SimulationError) {
    for (index, imei) in Self.placeholders.prefix(count(.placeholders)).enumerated() {
      for place in 0..<Self.subscribersOfAPlaceholder {
        try writeCard(files, .imei(imei), cardNumber(.placeholders, index, place))
      }
      files.truth.note(.placeholders, imei)
    }
  }

  /// With one to three subscribers each.
  private func writeMangled(_ files: SightingFiles) throws(SimulationError) {
    for index in 0..<count(.mangled) {
      let text = Self.mangled(index)
      for place in 0...index % 3 {
        try writeCard(files, .unusable(text), cardNumber(.mangled, index, place))
      }
      files.truth.note(.mangled, text)
    }
  }

  /// Letters among digits, too few digits, what a person dials, words.
  private static func mangled(_ index: Int) -> String {
    var number: [UInt8] = []
    number.append(UInt64(index), width: 7)
    let digits = String(decoding: number, as: UTF8.self)
    return switch index % 5 {
    case 0: "35O69I\(digits)1"
    case 1: "356\(digits)"
    case 2: "*#06#\(digits)"
    case 3: "IMEI\(digits)"
    default: "#31#\(digits)"
    }
  }

  /// A card of a new subscriber in a network by chance, seen on usual days.
  func writeCard(
    _ files: SightingFiles, _ identity: SeenCard.Identity, _ card: Int, days: UInt32? = nil
  ) throws(SimulationError) {
    let user = country.subscriber(card)
    try files.take(
      seen(identity, SeenSubscriber(user), card, days ?? usualDays(card)),
      at: user.operatorIndex)
  }

  /// Chance is drawn by `card`.
  func seen(
    _ identity: SeenCard.Identity, _ subscriber: SeenSubscriber, _ card: Int, _ days: UInt32
  ) -> SeenCard {
    SeenCard(
      identity: identity, subscriber: subscriber, days: days,
      technology: Int(country.chance.draw(.technologies, card) % 3))
  }
}

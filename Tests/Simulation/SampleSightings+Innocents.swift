import DeviceIdentity

/// What looks alike and must not be found.
extension SampleSightings {
  /// The conditions of the demonstration find ten subscribers and more.
  package static let mostInnocentSubscribers = 9
  static let cardsOfATestDevice = 5
  static let newTypeDays = 5
  /// Countries that are none: no MCC begins with 1 or 8 (ITU-T E.212, annex A), and these calling
  /// codes are spare (ITU-T E.164).
  static let foreign = [("10001", "210"), ("80002", "801"), ("19903", "890")]

  func writeInnocents(_ files: SightingFiles) throws(SimulationError) {
    try writeNewTypes(files)
    try writeFamilies(files)
    try writeChangedHands(files)
    try writeSwappedSlots(files)
    try writeRoamers(files)
    try writeTestDevices(files)
    try writeShopDemos(files)
  }

  /// Bodies as in DIRBS: 35 takes 20 days, 86 takes 19, 01 takes 40 and 99 takes 69.
  private func writeNewTypes(_ files: SightingFiles) throws(SimulationError) {
    for index in 0..<count(.newTypes) {
      let card = cardNumber(.newTypes, index)
      let days = usualDays(card) & days(from: dayCount - Self.newTypeDays)
      try writeFreeType(
        files, .newTypes, index,
        type: freeType(index, series: 1, body: index.isMultiple(of: 2) ? 35 : 86),
        days: days | day(dayCount - 1))
    }
    for index in 0..<count(.slowBodies) {
      try writeFreeType(
        files, .slowBodies, index,
        type: freeType(index, series: 2, body: index.isMultiple(of: 2) ? 1 : 99),
        days: usualDays(cardNumber(.slowBodies, index)))
    }
  }

  private func writeFamilies(_ files: SightingFiles) throws(SimulationError) {
    for index in 0..<count(.families) {
      let imei = moreIMEI(.families, index)
      for place in 0..<(2 + index % 2) {
        try writeCard(files, .imei(imei), cardNumber(.families, index, place))
      }
      files.truth.note(.families, imei)
    }
  }

  private func writeChangedHands(_ files: SightingFiles) throws(SimulationError) {
    for index in 0..<count(.changedHands) {
      let imei = moreIMEI(.changedHands, index)
      let second = days(from: dayCount / 2)
      for (place, owned) in [allDays & ~second, second].enumerated() {
        let card = cardNumber(.changedHands, index, place)
        let firstDay = place == 0 ? day(0) : day(dayCount / 2)
        try writeCard(files, .imei(imei), card, days: usualDays(card) & owned | firstDay)
      }
      files.truth.note(.changedHands, imei)
    }
  }

  private func writeSwappedSlots(_ files: SightingFiles) throws(SimulationError) {
    for index in 0..<count(.swappedSlots) {
      for slot in 0..<2 {
        let imei = moreIMEI(.swappedSlots, index, slot: slot)
        for place in 0..<2 {
          let card = cardNumber(.swappedSlots, index, place)
          try writeCard(
            files, .imei(imei), card, days: usualDays(slot == place ? card : ~card))
        }
        files.truth.note(.swappedSlots, imei)
      }
    }
  }

  /// Both networks see them, on days of their own.
  private func writeRoamers(_ files: SightingFiles) throws(SimulationError) {
    for index in 0..<count(.roamers) {
      let imei = moreIMEI(.roamers, index)
      let card = cardNumber(.roamers, index)
      let (network, callingCode) = Self.foreign[index % Self.foreign.count]
      let number = country.subscriber(card).number
      let subscriber = SeenSubscriber(
        network: network, imsiNumber: number, callingCode: callingCode, msisdnNumber: number)
      let atAlfa = usualDays(card) & usualDays(~card)
      for (place, days) in [atAlfa, usualDays(card) & ~atAlfa].enumerated() where days != 0 {
        try files.take(seen(.imei(imei), subscriber, card, days), at: place)
      }
      files.truth.note(.roamers, imei)
    }
  }

  /// GSMA TS.06: 001001 to 001017.
  private func writeTestDevices(_ files: SightingFiles) throws(SimulationError) {
    for index in 0..<count(.testDevices) {
      let type = TAC(number: UInt32((1_001 + index % 17) * 100 + 1))
      guard let type, let imei = IMEI(tac: type, serial: UInt32(index + 1)) else {
        throw SimulationError(.badConstant("a test type"))
      }
      for place in 0..<Self.cardsOfATestDevice {
        try writeCard(files, .imei(imei), cardNumber(.testDevices, index, place))
      }
      files.truth.note(.testDevices, imei)
    }
  }

  private func writeShopDemos(_ files: SightingFiles) throws(SimulationError) {
    for index in 0..<count(.shopDemos) {
      let imei = moreIMEI(.shopDemos, index)
      for place in 0..<Self.mostInnocentSubscribers {
        let card = cardNumber(.shopDemos, index, place)
        let drawn = country.chance.draw(.firstDay, card)
        let first = Int(drawn % UInt64(dayCount - 1))
        let days = day(first) | (drawn >> 32 & 1 == 0 ? 0 : day(first + 1))
        try writeCard(files, .imei(imei), card, days: days)
      }
      files.truth.note(.shopDemos, imei)
    }
  }
}

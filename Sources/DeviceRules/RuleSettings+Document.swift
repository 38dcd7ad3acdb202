import DeviceIdentity

/// The document of the settings: `Schema/rules.md`.
extension RuleSettings: Codable {
  package init(from decoder: any Decoder) throws {
    var fields = try Fields(decoder, place: "settings")
    try self.init(
      mobileCountryCodes: Self.mobileCountryCodes(&fields),
      callingCodes: Self.callingCodes(&fields), reportingBodyDelays: Self.delays(&fields),
      exemptDeviceTypes: Set(fields.texts("exemptDeviceTypes", default: [])),
      amnesty: Self.amnesty(&fields),
      testTypes: Self.prefixes("testTypes", Self.usualTestTypes, &fields),
      placeholders: Self.prefixes("placeholders", Self.usualPlaceholders, &fields),
      populationMonths: fields.integer("populationMonths", in: Self.months, default: 3),
      retentionMonths: fields.integer("retentionMonths", in: Self.months, default: 6))
    try fields.refuseOthers()
    guard populationMonths <= retentionMonths else {
      throw RuleError("settings", "populationMonths is larger than retentionMonths")
    }
  }

  private static func mobileCountryCodes(
    _ fields: inout Fields
  ) throws(RuleError) -> [IMSIPrefix] {
    var codes: [IMSIPrefix] = []
    for text in Set(try fields.texts("mobileCountryCodes", default: [])).sorted() {
      guard text.utf8.count == 3, let code = try? IMSIPrefix(text) else {
        throw RuleError(fields.place, "mobileCountryCodes has \(text), which is not three digits")
      }
      codes.append(code)
    }
    return try limited(codes, "mobileCountryCodes", fields)
  }

  private static func callingCodes(_ fields: inout Fields) throws(RuleError) -> [String] {
    let codes = Set(try fields.texts("callingCodes", default: [])).sorted()
    for code in codes
    where !(1...7).contains(code.utf8.count) || !code.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) {
      throw RuleError(fields.place, "callingCodes has \(code), which is not one to seven digits")
    }
    return try limited(codes, "callingCodes", fields)
  }

  private static func limited<Code>(
    _ codes: [Code], _ name: String, _ fields: Fields
  ) throws(RuleError) -> [Code] {
    guard codes.count <= mostCodes else {
      throw RuleError(fields.place, "\(name) has more than \(mostCodes) entries")
    }
    return codes
  }

  private static func delays(_ fields: inout Fields) throws(RuleError) -> [UInt8: Int] {
    guard let written = try fields.integers("reportingBodyDelays") else { return usualDelays }
    var delays: [UInt8: Int] = [:]
    for (text, days) in written.sorted(by: { $0.key < $1.key }) {
      guard text.utf8.count == 2, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }),
        let body = UInt8(text)
      else {
        throw RuleError(fields.place, "reportingBodyDelays has \(text), which is not two digits")
      }
      guard delayDays.contains(days) else {
        throw RuleError(
          fields.place,
          "reportingBodyDelays of \(text) must be \(delayDays.lowerBound) to "
            + "\(delayDays.upperBound) and is \(days)")
      }
      delays[body] = days
    }
    return delays
  }

  private static func amnesty(_ fields: inout Fields) throws(RuleError) -> Amnesty? {
    guard var object = try fields.object("amnesty") else { return nil }
    let amnesty = try Amnesty(evaluationEnd: object.day("evaluationEnd"), end: object.day("end"))
    try object.refuseOthers()
    return amnesty
  }

  private static func prefixes(
    _ name: String, _ usual: [String], _ fields: inout Fields
  ) throws(RuleError) -> [IMEIPrefix] {
    var prefixes: Set<IMEIPrefix> = []
    for text in try fields.texts(name, default: usual) {
      guard let prefix = IMEIPrefix(text) else {
        throw RuleError(fields.place, "\(name) has \(text), which is not 2 to 15 digits")
      }
      prefixes.insert(prefix)
    }
    return prefixes.sorted()
  }

  package func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: FieldName.self)
    try fields.write("mobileCountryCodes", mobileCountryCodes.map(\.digits))
    try fields.write("callingCodes", callingCodes)
    var delays = fields.nestedContainer(
      keyedBy: FieldName.self, forKey: FieldName("reportingBodyDelays"))
    for (body, days) in reportingBodyDelays {
      try delays.write(body < 10 ? "0\(body)" : "\(body)", days)
    }
    try fields.write("exemptDeviceTypes", exemptDeviceTypes.sorted())
    if let amnesty {
      var object = fields.nestedContainer(keyedBy: FieldName.self, forKey: FieldName("amnesty"))
      try object.write("evaluationEnd", amnesty.evaluationEnd.description)
      try object.write("end", amnesty.end.description)
    }
    try fields.write("testTypes", testTypes.map(\.description))
    try fields.write("placeholders", placeholders.map(\.description))
    try fields.write("populationMonths", populationMonths)
    try fields.write("retentionMonths", retentionMonths)
  }
}

import DeviceLists

/// The document of a condition: `Schema/rules.md`.
extension Condition: Codable {
  package init(from decoder: any Decoder) throws {
    var fields = try Fields(decoder, place: "condition")
    let label = try fields.text("label")
    fields.named("condition \(label)")
    let parts = try Self.parts(&fields)
    let code = try fields.has("groundCode") ? fields.groundCode("groundCode") : nil
    try self.init(
      label: label, parts: parts,
      graceDays: fields.integer("graceDays", in: Self.graceDays, default: 30),
      isBlocking: fields.flag("blocking", default: false),
      isSticky: fields.flag("sticky", default: false), groundCode: code,
      reason: fields.text("reason"),
      isAmnestyEligible: fields.flag("amnestyEligible", default: false),
      mostMatching: fields.number("mostMatching", in: Self.shares, default: 0.1),
      isGreyDuringGrace: fields.flag("greyDuringGrace", default: false))
    try fields.refuseOthers()
  }

  private static func parts(_ fields: inout Fields) throws(RuleError) -> [Part] {
    let place = fields.place
    let objects = try fields.objects("dimensions", most: mostDimensions) {
      "\(place), dimension \($0)"
    }
    var parts: [Part] = []
    for var object in objects {
      let dimension = try Dimension(from: &object)
      parts.append(Part(dimension, inverted: try object.flag("inverted", default: false)))
      try object.refuseOthers()
    }
    return parts
  }

  /// Every field is written, those with their default too.
  package func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: FieldName.self)
    try fields.write("label", label)
    var list = fields.nestedUnkeyedContainer(forKey: FieldName("dimensions"))
    for part in parts {
      var object = list.nestedContainer(keyedBy: FieldName.self)
      try object.write("dimension", part.dimension.name)
      try object.write("inverted", part.isInverted)
      try part.dimension.rule.write(to: &object)
    }
    try fields.write("graceDays", graceDays)
    try fields.write("blocking", isBlocking)
    try fields.write("sticky", isSticky)
    if let groundCode { try fields.write("groundCode", groundCode.description) }
    try fields.write("reason", reason)
    try fields.write("amnestyEligible", isAmnestyEligible)
    try fields.write("mostMatching", mostMatching)
    try fields.write("greyDuringGrace", isGreyDuringGrace)
  }
}

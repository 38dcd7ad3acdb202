package import DeviceLists

/// What a node is told about one device.
package struct LUStatusVerdict: Hashable, Sendable {
  package var status: CheckAnswer
  package var grounds: GroundCodeSet
  package var rule: DecisionRule

  package init(status: CheckAnswer, grounds: GroundCodeSet, rule: DecisionRule) {
    self.status = status
    self.grounds = grounds
    self.rule = rule
  }

  package init(_ verdict: Verdict) {
    self.init(status: verdict.answer, grounds: verdict.codes, rule: verdict.rule)
  }
}

extension LUStatusVerdict: JSONMessage {
  private static let rules = Dictionary(
    uniqueKeysWithValues: DecisionRule.allCases.map { ($0.description, $0) })

  package func write(into text: inout JSONText) {
    text.member("status", status.description)
    text.openArray("grounds")
    for code in grounds.codes { text.element(code.description) }
    text.closeArray()
    text.member("rule", rule.description)
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    status = try object.word("status") { CheckAnswer(word: $0) }
    grounds = try object.grounds()
    rule = try object.word("rule") { Self.rules[$0] }
  }
}

/// The answer of `POST /exchange/v1/lu-status` to one question.
package struct LUStatusResponse: Hashable, Sendable {
  package var verdict: LUStatusVerdict
  /// So long the answer may be used again.
  package var validUntil: Instant
  /// The list that was looked at.
  package var epoch: Epoch
  package var position: Position

  package init(
    _ verdict: LUStatusVerdict, validUntil: Instant, epoch: Epoch, position: Position
  ) {
    self.verdict = verdict
    self.validUntil = validUntil
    self.epoch = epoch
    self.position = position
  }
}

extension LUStatusResponse: JSONMessage {
  package func write(into text: inout JSONText) {
    verdict.write(into: &text)
    text.member("validUntil", validUntil.description)
    text.member("epoch", epoch.description)
    text.member("position", position.number)
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    verdict = try LUStatusVerdict(object)
    validUntil = try object.member("validUntil") { Instant($0) }
    epoch = try object.member("epoch") { Epoch($0) }
    position = try object.position("position")
  }
}

/// The answer to many, in the order of the questions. ``LUStatusEncoder`` writes it.
package struct LUStatusAnswers: Hashable, Sendable {
  package var validUntil: Instant
  package var epoch: Epoch
  package var position: Position
  package var answers: [LUStatusVerdict]

  package init(
    _ answers: [LUStatusVerdict], validUntil: Instant, epoch: Epoch, position: Position
  ) {
    self.answers = answers
    self.validUntil = validUntil
    self.epoch = epoch
    self.position = position
  }

  package init(json bytes: [UInt8]) throws(ExchangeError) {
    self = try JSONReader.read(bytes, most: ExchangeLimits.longestAnswersBytes) {
      (reader) throws(ExchangeError) in
      try LUStatusAnswers(&reader)
    }
  }

  /// Reads one answer after the other, so that only the result is held.
  init(_ reader: inout JSONReader) throws(ExchangeError) {
    var answers: [LUStatusVerdict]?
    var members: [JSONValue.Member] = []
    try reader.members { (reader, name) throws(ExchangeError) in
      guard name == "answers" else {
        members.append(JSONValue.Member(name: name, value: try reader.value()))
        return
      }
      var read: [LUStatusVerdict] = []
      try reader.elements { (reader) throws(ExchangeError) in
        guard read.count < ExchangeLimits.mostQueries else {
          throw ExchangeError(.tooLarge, "over \(ExchangeLimits.mostQueries) answers")
        }
        read.append(try LUStatusVerdict(reader.value()))
      }
      answers = read
    }
    let object = JSONValue.object(members)
    guard let answers else { throw object.unusable("answers") }
    self.answers = answers
    validUntil = try object.member("validUntil") { Instant($0) }
    epoch = try object.member("epoch") { Epoch($0) }
    position = try object.position("position")
  }
}

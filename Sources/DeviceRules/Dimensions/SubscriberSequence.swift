/// A device whose subscribers have consecutive numbers: cards bought in one packet, in a SIM box.
package struct SubscriberSequence: Rule {
  package static let name = "subscriberSequence"
  static let lengths = 3...10_000
  static let steps = 1...1_000_000

  /// So many in a row, or more.
  package let length: Int
  /// From one to the next, at most.
  package let largestStep: Int
  /// Whether they must be in arithmetic progression; else any gaps up to the largest step will do.
  package let stepsAreEqual: Bool
  /// IMSIs or telephone numbers.
  package let counting: Counting
  private let within: Window

  package var window: Window? { within }

  package init(
    length: Int = 5, largestStep: Int = 10, stepsAreEqual: Bool = true,
    window: Window = .days(30), counting: Counting = .imsi
  ) {
    self.length = length
    self.largestStep = largestStep
    self.stepsAreEqual = stepsAreEqual
    self.counting = counting
    within = window
  }

  package init(from fields: inout Fields) throws(RuleError) {
    length = try fields.integer("length", in: Self.lengths, default: 5)
    largestStep = try fields.integer("largestStep", in: Self.steps, default: 10)
    stepsAreEqual = try fields.flag("stepsAreEqual", default: true)
    counting = try fields.word("counting", default: .imsi)
    guard counting != .person else {
      throw RuleError(fields.place, "counting must be imsi or msisdn: people have no order")
    }
    within = try fields.window(default: .days(30))
  }

  package func write(to fields: inout FieldWriter) throws {
    try fields.write("length", length)
    try fields.write("largestStep", largestStep)
    try fields.write("stepsAreEqual", stepsAreEqual)
    try fields.write("counting", counting.rawValue)
    try fields.write(within)
  }

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    guard device.rows.count >= length else { return false }
    return longest(device, scope, &scratch) >= length
  }

  package func measured(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> [Measure] {
    [
      Measure("inSequence", longest(device, scope, &scratch)),
      Measure("subscribers", scratch.distinctKeys), Measure("days", scope.days),
    ]
  }

  private func longest(_ device: Evidence, _ scope: Scope, _ scratch: inout Scratch) -> Int {
    scratch.gather(device, by: counting, within: scope.days)
    return scratch.longestSequence(
      largestStep: UInt64(largestStep), stepsAreEqual: stepsAreEqual)
  }
}

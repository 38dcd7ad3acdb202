import DeviceLists
import DeviceRules
import Testing

struct ClassificationTests {
  /// What a table says of a condition.
  private struct Terms {
    var isBlocking = true
    var isSticky = false
    var isEligible = false
    var graceDays = 30

    func condition() throws -> Condition {
      try Condition(
        label: "a", parts: [.init(.barred(Barred()))], graceDays: graceDays,
        isBlocking: isBlocking, isSticky: isSticky, groundCode: .duplicate, reason: "A",
        isAmnestyEligible: isEligible)
    }
  }

  private static func found(
    _ since: String, _ blockOn: String?, _ hasAmnesty: Bool = false
  ) throws -> Classification {
    Classification(
      since: try #require(Day(since)), blockOn: blockOn.flatMap { Day($0) },
      hasAmnesty: hasAmnesty)
  }

  private struct Step {
    let open: (String, String?, Bool)?
    let matches: Bool
    let terms: Terms
    let asOf: String
    /// `begin`, `change`, `end` or nothing, and to what.
    let change: String
    let to: (String, String?, Bool)?

    init(
      _ open: (String, String?, Bool)?, _ matches: Bool, _ terms: Terms, on asOf: String,
      _ change: String = "", _ to: (String, String?, Bool)? = nil
    ) {
      (self.open, self.matches, self.terms) = (open, matches, terms)
      (self.asOf, self.change, self.to) = (asOf, change, to)
    }
  }

  private func check(_ step: Step, amnesty: Amnesty?) throws {
    let change = ClassificationChange(
      open: try step.open.map { try Self.found($0.0, $0.1, $0.2) }, matches: step.matches,
      condition: try step.terms.condition(), amnesty: amnesty, asOf: try #require(Day(step.asOf)))
    let to = try step.to.map { try Self.found($0.0, $0.1, $0.2) }
    let expected: ClassificationChange =
      switch step.change {
      case "begin": .begin(try #require(to))
      case "change": .change(try #require(to))
      case "end": .end
      default: .nothing
      }
    #expect(change == expected)
  }

  /// DIRBS-Core 16: the first match inserts block_date = today + grace; it never moves afterwards.
  private static let usual: [Step] = [
    Step(nil, false, Terms(), on: "2026-11-20"),
    Step(nil, true, Terms(), on: "2026-11-20", "begin", ("2026-11-20", "2026-12-20", false)),
    Step(
      nil, true, Terms(graceDays: 0), on: "2026-11-20", "begin",
      ("2026-11-20", "2026-11-20", false)),
    Step(
      nil, true, Terms(isBlocking: false), on: "2026-11-20", "begin", ("2026-11-20", nil, false)),
    Step(("2026-11-20", "2026-12-20", false), true, Terms(), on: "2026-11-21"),
    Step(("2026-11-20", "2026-12-20", false), true, Terms(), on: "2027-03-01"),
    // A shorter or longer grace changes nothing that was told.
    Step(("2026-11-20", "2026-12-20", false), true, Terms(graceDays: 0), on: "2026-11-21"),
    Step(("2026-11-20", "2026-12-20", false), true, Terms(graceDays: 90), on: "2026-11-21"),
    Step(("2026-11-20", "2026-12-20", false), false, Terms(), on: "2026-11-21", "end"),
    Step(("2026-11-20", nil, false), false, Terms(isBlocking: false), on: "2026-11-21", "end"),
    // Ended and matching again: found anew, with its whole grace.
    Step(nil, true, Terms(), on: "2026-11-25", "begin", ("2026-11-25", "2026-12-25", false)),
    // Blocking turned informative, and back: a fresh grace.
    Step(
      ("2026-11-20", "2026-12-20", false), true, Terms(isBlocking: false), on: "2026-11-21",
      "change", ("2026-11-20", nil, false)),
    Step(
      ("2026-11-20", nil, false), true, Terms(), on: "2026-11-22", "change",
      ("2026-11-20", "2026-12-22", false)),
    Step(("2026-11-20", nil, false), true, Terms(isBlocking: false), on: "2026-11-22"),
    // Sticky.
    Step(("2026-11-20", "2026-12-20", false), false, Terms(isSticky: true), on: "2026-11-21"),
    Step(nil, false, Terms(isSticky: true), on: "2026-11-21"),
    Step(
      ("2026-11-20", "2026-12-20", false), false, Terms(isBlocking: false, isSticky: true),
      on: "2026-11-21", "change", ("2026-11-20", nil, false)),
    // An amnesty that was withdrawn before its date was told.
    Step(
      ("2026-11-20", nil, true), true, Terms(isEligible: true), on: "2027-01-05", "change",
      ("2026-11-20", "2027-02-04", false)),
    // Once a date was told it stays, whatever became of the amnesty.
    Step(("2026-11-20", "2027-06-30", true), true, Terms(isEligible: true), on: "2027-01-05"),
  ]

  @Test(arguments: usual.indices)
  func `a promise is kept`(index: Int) throws { try check(Self.usual[index], amnesty: nil) }

  private static let eligible = Terms(isEligible: true)

  /// DIRBS-Core 16: eligible conditions get no block date in the evaluation period (until
  /// 2026-12-31), then the end of the amnesty (2027-06-30).
  private static let amnestied: [Step] = [
    Step(nil, true, eligible, on: "2026-11-20", "begin", ("2026-11-20", nil, true)),
    Step(nil, true, eligible, on: "2026-12-31", "begin", ("2026-12-31", nil, true)),
    Step(
      nil, true, eligible, on: "2027-01-01", "begin", ("2027-01-01", "2027-01-31", false)),
    Step(nil, true, Terms(), on: "2026-11-20", "begin", ("2026-11-20", "2026-12-20", false)),
    Step(
      nil, true, Terms(isBlocking: false, isEligible: true), on: "2026-11-20", "begin",
      ("2026-11-20", nil, false)),
    Step(("2026-11-20", nil, true), true, eligible, on: "2026-12-31"),
    Step(
      ("2026-11-20", nil, true), true, eligible, on: "2027-01-01", "change",
      ("2026-11-20", "2027-06-30", true)),
    Step(("2026-11-20", "2027-06-30", true), true, eligible, on: "2027-06-30"),
    Step(("2026-11-20", "2027-06-30", true), true, eligible, on: "2027-08-01"),
    Step(("2026-11-20", nil, true), false, eligible, on: "2026-11-21", "end"),
    // Who was found before the evaluation gets the amnesty while it lasts.
    Step(
      ("2026-10-01", "2026-10-31", false), true, eligible, on: "2026-11-20", "change",
      ("2026-10-01", nil, true)),
    // Who was found in the second part is not moved.
    Step(("2027-01-02", "2027-02-01", false), true, eligible, on: "2027-01-03"),
    // An amnesty that was prolonged moves the date away; one that was cut short does not.
    Step(
      ("2026-11-20", "2027-03-31", true), true, eligible, on: "2027-01-05", "change",
      ("2026-11-20", "2027-06-30", true)),
    Step(("2026-11-20", "2027-12-31", true), true, eligible, on: "2027-01-05"),
    // Told on the amnesty's last days: nobody gets less than the grace.
    Step(
      ("2026-11-20", nil, true), true, eligible, on: "2027-06-20", "change",
      ("2026-11-20", "2027-07-20", true)),
    // No run in the whole second part.
    Step(
      ("2026-11-20", nil, true), true, eligible, on: "2027-07-05", "change",
      ("2026-11-20", "2027-08-04", true)),
    // A condition that lost its eligibility before a date was told.
    Step(
      ("2026-11-20", nil, true), true, Terms(), on: "2026-12-01", "change",
      ("2026-11-20", "2026-12-31", false)),
  ]

  @Test(arguments: amnestied.indices)
  func `an amnesty gives time`(index: Int) throws {
    let amnesty = try Amnesty(
      evaluationEnd: #require(Day("2026-12-31")), end: #require(Day("2027-06-30")))
    try check(Self.amnestied[index], amnesty: amnesty)
  }

  @Test(
    arguments: [
      ("2026-12-19", true, false, nil), ("2026-12-20", true, false, .black),
      ("2026-12-21", true, false, .black), ("2026-12-19", true, true, .grey),
      ("2026-12-20", true, true, .black), ("2026-12-21", false, true, nil),
    ] as [(String, Bool, Bool, ListStatus?)])
  func `from its block date on a device is black`(
    day: String, isBlocking: Bool, isGrey: Bool, status: ListStatus?
  ) throws {
    let condition = try Condition(
      label: "a", parts: [.init(.barred(Barred()))], isBlocking: isBlocking,
      groundCode: .duplicate, reason: "A", isGreyDuringGrace: isGrey)
    let found = try Self.found("2026-11-20", "2026-12-20")
    #expect(condition.status(of: found, on: try #require(Day(day))) == status)
    let evaluated = try Self.found("2026-11-20", nil, true)
    let waiting = condition.status(of: evaluated, on: try #require(Day("2030-01-01")))
    #expect(waiting == (isBlocking && isGrey ? .grey : nil))
  }

  @Test(arguments: [
    (1, 10, 0.1, false), (2, 10, 0.1, true), (0, 0, 0.1, false), (1, 0, 0.1, true),
    (100_000, 1_000_000, 0.1, false), (100_001, 1_000_000, 0.1, true), (10, 10, 1.0, false),
  ])
  func `a condition finds no more than its share`(
    matching: Int, population: Int, share: Double, isExcess: Bool
  ) throws {
    let condition = try Condition(
      label: "a", parts: [.init(.barred(Barred()))], reason: "A", mostMatching: share)
    let excess = PopulationExcess(condition, matching: matching, population: population)
    #expect((excess != nil) == isExcess)
  }

  @Test func `an excess says what a person should decide`() throws {
    let condition = try Condition(
      label: "not-registered", parts: [.init(.notRegistered(NotRegistered()))], reason: "A")
    let excess = PopulationExcess(condition, matching: 100_001, population: 1_000_000)
    #expect(
      excess?.description == """
        condition not-registered matches 100001 of 1000000 devices (10.01 %); it may match \
        10.00 %. Nothing was changed. Is a list of types, registrations or approvals empty or \
        old? If the number is right, raise mostMatching of the condition.
        """)
  }
}

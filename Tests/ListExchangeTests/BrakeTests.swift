import DeviceIdentity
import DeviceLists
import Testing

@testable import ListExchange

/// DESIGN section 3, "Brake".
struct BrakeTests {
  private static let now = Samples.issuedAt

  @Test(arguments: [
    (0, 1_000), (199_999, 1_000), (200_000, 1_000), (400_000, 2_000), (20_000_000, 100_000),
  ])
  func `the limit is half a percent of the list and at least a thousand`(
    entries: Int, limit: Int
  ) {
    #expect(Brake.Limit().count(listEntries: entries) == limit)
  }

  @Test func `small deltas add up to a large one`() {
    var brake = Brake(limit: Brake.Limit(least: 100))
    for hour in 0..<10 {
      let now = Self.now.adding(seconds: Int64(hour) * 3600)
      #expect(brake.decide(added: 10, listEntries: 0, asOf: now) == .pass)
      brake.applied(added: 10, asOf: now)
    }
    let now = Self.now.adding(seconds: 36_000)
    #expect(brake.decide(added: 1, listEntries: 0, asOf: now) == .hold)
    #expect(brake.decide(added: 0, listEntries: 0, asOf: now) == .pass)
  }

  @Test func `after a day what was added counts no more`() {
    var brake = Brake(limit: Brake.Limit(least: 100))
    brake.applied(added: 100, asOf: Self.now)
    let dayLater = Self.now.adding(seconds: 86_400)
    #expect(brake.decide(added: 1, listEntries: 0, asOf: dayLater.adding(seconds: -1)) == .hold)
    #expect(brake.decide(added: 1, listEntries: 0, asOf: dayLater.adding(seconds: 300)) == .pass)
  }

  @Test func `accepting starts the count anew`() {
    var brake = Brake(limit: Brake.Limit(least: 100))
    brake.applied(added: 500, asOf: Self.now)
    #expect(brake.decide(added: 1, listEntries: 0, asOf: Self.now) == .hold)
    brake.accepted()
    #expect(brake.decide(added: 100, listEntries: 0, asOf: Self.now) == .pass)
  }

  @Test func `a clock that is put back loses no count`() {
    var brake = Brake(limit: Brake.Limit(least: 100))
    brake.applied(added: 60, asOf: Self.now)
    brake.applied(added: 60, asOf: Self.now.adding(seconds: -7200))
    #expect(brake.added(asOf: Self.now.adding(seconds: -7200)) == 120)
  }

  @Test(arguments: [
    (ListedClass(), [Samples.change(1)], true),
    (ListedClass(all: Samples.grey), [Samples.change(1)], true),
    (ListedClass(all: Samples.black), [Samples.change(1)], false),
    (ListedClass(own: Samples.black), [Samples.change(1)], false),
    (ListedClass(), [Samples.change(1), Samples.change(2, .imei(Samples.imei), nil)], false),
    (ListedClass(), [Samples.change(1, .imei(Samples.imei), Samples.grey)], false),
    (
      ListedClass(own: EntryClass(status: .white, codes: .init(.protected))),
      [Samples.change(1)], false
    ),
    (
      ListedClass(all: Samples.black),
      [Samples.change(1, .imei(Samples.imei), nil), Samples.change(2)], false
    ),
  ])
  func `only what becomes black in the end is counted`(
    before: ListedClass, changes: [Change], isCounted: Bool
  ) {
    let blacks = Brake.blacks(madeBy: changes) { _ in before }
    #expect(blacks == (isCounted ? [.imei(Samples.imei): Position(1)] : [:]))
  }

  @Test func `a subject became black by the change after which it stayed so`() {
    let subject = Subject.imei(Samples.imei)
    let changes = [
      Samples.change(3), Samples.change(4, subject, nil), Samples.change(6),
      Samples.change(8, subject, scope: .only(Samples.alpha), Samples.black),
      Samples.change(9, subject, nil),
    ]
    #expect(Brake.blacks(madeBy: changes) { _ in ListedClass() } == [subject: Position(6)])
  }

  @Test func `what an approved mass change made black is not counted`() {
    let marks = [Self.mark(after: 10, upTo: 20), Self.mark(after: 30, upTo: 40)]
    let blacks = Dictionary(
      uniqueKeysWithValues: [10, 11, 20, 21, 30, 31, 41].map { number in
        (Subject.imei(IMEI(unchecked: number)), Position(number))
      })
    let left = Brake.unexplained(blacks, by: marks).values.map(\.number).sorted()
    #expect(left == [10, 21, 30, 41])
    #expect(Brake.unexplained(blacks, by: []) == blacks)
  }

  @Test(
    arguments: [
      // List at 100, snapshot of 200, 50 blacks: one mark of 30 blacks.
      (100, 200, 110, 160, 30, 20), (100, 200, 0, 100, 30, 50), (100, 200, 200, 260, 30, 50),
      (100, 200, 90, 110, 30, 40), (100, 200, 195, 260, 30, 45), (100, 200, 100, 200, 90, 0),
    ] as [(UInt64, UInt64, UInt64, UInt64, Int, Int)])
  func `of a snapshot only what the marks do not explain is counted`(
    after: UInt64, upTo: UInt64, markAfter: UInt64, markUpTo: UInt64, blacks: Int, left: Int
  ) {
    let mark = Self.mark(after: markAfter, upTo: markUpTo, blacks: blacks)
    let counted = Brake.unexplained(
      50, by: [mark], after: Position(after), upTo: Position(upTo))
    #expect(counted == left)
  }

  @Test(
    arguments: [
      (10, 11, true), (19, 20, true), (10, 20, true), (9, 11, false), (19, 21, false),
    ] as [(UInt64, UInt64, Bool)])
  func `what is held is released where a mark explains all of it`(
    after: UInt64, upTo: UInt64, isExplained: Bool
  ) {
    let isReleased = Brake.explains(
      [Self.mark(after: 10, upTo: 20)], after: Position(after), upTo: Position(upTo))
    #expect(isReleased == isExplained)
  }

  @Test func `what was counted before its mark came counts no more`() {
    var brake = Brake(limit: Brake.Limit(least: 100))
    brake.applied(added: 60, asOf: Self.now)
    brake.applied(added: 60, asOf: Self.now.adding(seconds: 600))
    brake.excused(70)
    #expect(brake.added(asOf: Self.now.adding(seconds: 600)) == 50)
    #expect(brake.periods.map(\.added) == [50])
    brake.excused(1_000)
    #expect(brake.periods.isEmpty)
  }

  private static func mark(after: UInt64, upTo: UInt64, blacks: Int = 9) -> MassMark {
    MassMark(run: 1, after: Position(after), upTo: Position(upTo), blacks: blacks)
  }
}

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
    #expect(blacks == (isCounted ? [.imei(Samples.imei): before] : [:]))
  }
}

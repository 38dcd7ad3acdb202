import DeviceIdentity
import DeviceLists
import ListExchange
import Testing

@testable import EIRNode

/// What is noted of checks, and what is left out.
struct SightingNotesTests {
  private static let now = Instant("2026-11-28T23:59:58Z")!
  private static let imsi = IMSI(packed: 15_001_010_123_456_789)!

  private static func query(_ number: UInt64, imsi: IMSI? = imsi) -> CheckQuery {
    CheckQuery(
      identity: .device(IMEISV(imei: IMEI(number: 35_000_000_000_000 + number)!)), imsi: imsi)
  }

  private static func notes(
    _ send: ExchangeParameters.Sightings.Amount = .all, oneIn: Int = 10, isDiskFull: Bool = false
  ) -> SightingNotes {
    let notes = SightingNotes()
    notes.follow(.init(send: send, oneIn: oneIn), isDiskFull: isDiskFull)
    return notes
  }

  @Test func `a device with a subscriber is noted once for each answer and day`() {
    let notes = Self.notes()
    for _ in 0..<3 { notes.note(Self.query(1), .unknown, asOf: Self.now) }
    notes.note(Self.query(1), .black, asOf: Self.now)
    notes.note(Self.query(2), .unknown, asOf: Self.now)
    notes.note(Self.query(1), .unknown, asOf: Self.now.adding(seconds: 2))
    #expect(notes.counts == .init(noted: 4, dropped: 0))
    let pending = notes.oldest(10)
    #expect(pending.map(\.status) == [.unknown, .black, .unknown, .unknown])
    #expect(pending.first?.imsi == Self.imsi)
    #expect(pending.last?.seenAt == Self.now.adding(seconds: 2))
    notes.wrote(3)
    #expect(notes.oldest(10) == Array(pending.suffix(1)))
  }

  @Test func `without a subscriber or an identity there is nothing to note`() {
    let notes = Self.notes()
    notes.note(Self.query(1, imsi: nil), .black, asOf: Self.now)
    notes.note(CheckQuery(identity: .none, imsi: Self.imsi), .black, asOf: Self.now)
    #expect(notes.counts == .init())
  }

  @Test func `what is no IMEI is noted as it came, and the number of the line with it`() throws {
    let notes = Self.notes()
    let msisdn = try MSISDN("4915112345678")
    for text in ["*#06#", "*#06#", "35A", ""] {
      notes.note(
        CheckQuery(
          identity: .unusable(UnusableIdentity(text)), imsi: Self.imsi, msisdn: msisdn),
        .unknown, asOf: Self.now)
    }
    let pending = notes.oldest(10)
    #expect(pending.map(\.identity.text) == ["*#06#", "35A"], "an empty one names nothing")
    #expect(pending.map(\.msisdn) == [msisdn, msisdn])
    #expect(try Sighting.lines(RecordLines.write(pending)) == pending)
  }

  @Test(
    arguments: [
      (.all, 1_000...1_000, 1_000), (.sampled, 60...140, 1_000), (.off, 0...0, 0),
    ] as [(ExchangeParameters.Sightings.Amount, ClosedRange<Int>, Int)])
  func `the parameters say how many of the harmless are noted, and all the others are`(
    amount: ExchangeParameters.Sightings.Amount, harmless: ClosedRange<Int>, others: Int
  ) {
    let notes = Self.notes(amount)
    for number in 0..<UInt64(1_000) {
      notes.note(Self.query(number), .white, asOf: Self.now)
    }
    #expect(harmless.contains(notes.counts.noted))
    let before = notes.counts.noted
    for number in 0..<UInt64(500) {
      notes.note(Self.query(number), .grey, asOf: Self.now)
      notes.note(Self.query(number), .black, asOf: Self.now)
    }
    #expect(notes.counts.noted - before == others)
  }

  @Test func `where the disk is nearly full only grey and black are noted`() {
    let notes = Self.notes(isDiskFull: true)
    for answer in [CheckAnswer.white, .unknown, .grey, .black] {
      notes.note(Self.query(1), answer, asOf: Self.now)
    }
    #expect(notes.counts == .init(noted: 2, dropped: 2))
    // What was left out may be noted later.
    notes.follow(.init(), isDiskFull: false)
    notes.note(Self.query(1), .white, asOf: Self.now)
    #expect(notes.counts.noted == 3)
  }

  @Test func `memory has its limit, and what is beyond it is counted`() {
    let notes = Self.notes()
    let most = UInt64(SightingNotes.mostPending)
    for number in 0..<(most + 10) { notes.note(Self.query(number), .black, asOf: Self.now) }
    #expect(notes.counts == .init(noted: Int(most), dropped: 10))
    #expect(notes.pendingCount == Int(most))
  }
}

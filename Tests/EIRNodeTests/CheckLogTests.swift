import DeviceIdentity
import DeviceLists
import Foundation
import Testing

@testable import EIRNode

/// DESIGN section 8: the check log has the IMEI, not the IMSI.
struct CheckLogTests {
  private static let now = Instant("2026-11-23T06:23:17Z")!
  private static let imei = IMEI(number: 49_015_420_323_751)!

  /// What the engine says of a device on the operator's own black list.
  private static func verdict(
    _ query: CheckQuery, _ settings: DecisionSettings = blocking, hasList: Bool = true
  ) -> Verdict {
    DecisionEngine(settings: settings).verdict(
      on: query, in: hasList ? EmptyList() : nil, asOf: now)
  }

  private static var blocking: DecisionSettings {
    var settings = DecisionSettings()
    let entry = LocalBlackList.Entry(range: IMEIRange(first: imei, last: imei)!)
    settings.localBlack = LocalBlackList(entries: [entry])
    return settings
  }

  private static func content(_ path: String) -> String {
    (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
  }

  @Test func `a black answer is a line with the device and never the subscriber`() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/checks.ndjson"
    let log = CheckLog(path: path)
    let query = CheckQuery(
      identity: .device(IMEISV(imei: Self.imei)), imsi: IMSI(packed: 15_001_010_123_456_789))
    log.note(query, Self.verdict(query), asOf: Self.now)
    try log.flush()
    #expect(
      Self.content(path)
        == #"{"at":"2026-11-23T06:23:17Z","imei":"49015420323751","answer":"black","#
        + #""decided":"black","rule":"localBlack","grounds":["operatorRequest"],"position":5}"#
        + "\n")
  }

  @Test func `unlisted devices leave no line, policy answers do`() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/checks.ndjson"
    let log = CheckLog(path: path)
    let other = CheckQuery(identity: .device(IMEISV(imei: IMEI(number: 1)!)))
    log.note(other, Self.verdict(other), asOf: Self.now)
    try log.flush()
    #expect(Self.content(path) == "")
    log.note(other, Self.verdict(other, hasList: false), asOf: Self.now)
    let none = CheckQuery(identity: .none)
    log.note(none, Self.verdict(none), asOf: Self.now)
    try log.flush()
    let rules = Self.content(path).split(separator: "\n").map { $0.contains(#""rule":"failure""#) }
    #expect(rules == [true, false])
  }

  @Test func `what comes too fast is counted and left out`() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/checks.ndjson"
    let log = CheckLog(path: path)
    let query = CheckQuery(identity: .device(IMEISV(imei: Self.imei)))
    for _ in 0..<CheckLog.mostLinesPerSecond + 5 {
      log.note(query, Self.verdict(query), asOf: Self.now)
    }
    log.note(query, Self.verdict(query), asOf: Self.now.adding(seconds: 1))
    try log.flush()
    #expect(log.droppedCount == 5)
    #expect(Self.content(path).count { $0 == "\n" } == CheckLog.mostLinesPerSecond + 1)
  }

  @Test func `lines that cannot be written are counted`() throws {
    let log = CheckLog(path: "/nowhere/checks.ndjson")
    let query = CheckQuery(identity: .device(IMEISV(imei: Self.imei)))
    log.note(query, Self.verdict(query), asOf: Self.now)
    #expect(throws: NodeError.self) { try log.flush() }
    #expect(log.droppedCount == 1)
  }
}

private struct EmptyList: DeviceList {
  let head = ListHead(
    epoch: Epoch(high: 1, low: 1), position: Position(5), digest: .zero,
    issuedAt: Instant("2026-11-23T06:23:00Z")!)

  func entry(of imei: IMEI) -> EntryClass? { nil }
  func entry(of pairing: Pairing) -> EntryClass? { nil }
  func hasException(_ imei: IMEI) -> Bool { false }
  func rangeEntry(containing imei: IMEI) -> EntryClass? { nil }
  func entry(of tac: TAC) -> EntryClass? { nil }
}

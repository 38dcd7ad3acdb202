import DeviceIdentity
import DeviceLists
import Testing

@testable import ListExchange

struct InboundFileTests {
  private static let imei = IMEI(requested: "490154203237518")!

  @Test func `every record is read as it is written, wherever it is cut`() throws {
    let imsi = try IMSI("001010123456789")
    let entry = OwnListEntry(imei: Self.imei, reason: "a, \"b\"", caseReference: "T-1")
    let standing = Standing(
      epoch: Samples.epoch, position: Position(7), digest: Samples.digest(3))
    let records: [(InboundName.Kind, InboundRecord)] = [
      (
        .requests,
        .request(
          DeviceRequest(
            kind: .block, imei: Self.imei, imsi: imsi, reason: "Gerät, gestohlen",
            caseReference: "T-17"))
      ),
      (.requests, .request(DeviceRequest(kind: .unblock, imei: Self.imei, reason: "found"))),
      (.ownFull, .entry(entry)), (.ownFull, .entry(OwnListEntry(imei: Self.imei))),
      (.ownDelta, .change(OwnListChange(.remove, entry))),
      (
        .sightings,
        .sighting(
          Sighting(
            identity: ReportedIdentity("49015*#"), imsi: imsi, msisdn: try MSISDN("21650123456"),
            technology: .lte, status: .unknown, seenAt: Samples.issuedAt))
      ),
      (.resend, .resend(FileNumber(12)!)),
      (.acknowledgement, .acknowledgement(Acknowledgement(standing: standing, held: 2))),
    ]
    for (kind, record) in records {
      var writer = InboundFileWriter(kind)
      writer.append(record)
      for piece in [1, 1 << 20] {
        #expect(try read(writer.bytes, kind, piece: piece) == [.record(line: 2, record)])
      }
    }
  }

  @Test(
    arguments: [
      (.requests, "block,490154203237517,,x,", .unusableIdentity, "imei cannot be used"),
      (.requests, "block,4.9E+14,,x,", .unusableIdentity, "imei cannot be used"),
      (.requests, "block,,,x,", .empty, "imei is empty"),
      (.requests, "block,49015420323751,,,", .empty, "reason is empty"),
      (.requests, "lend,49015420323751,,x,", .invalid, "kind cannot be used"),
      (.requests, "block,49015420323751,12,x,", .invalid, "imsi cannot be used"),
      (.requests, "block,49015420323751,,x", .fieldCount, nil),
      (.requests, "block,49015420323751,,x,,", .fieldCount, nil),
      (.requests, "", .fieldCount, nil),
      (.requests, "block,49015420323751,,\u{7},", .invalid, "reason cannot be used"),
      (.requests, "block,49015420323751,,\"x,", .invalid, "a quote is not closed"),
      (.requests, "block,49015420323751,,x\"y,", .invalid, "a quote within a field"),
      (.requests, "block,49015420323751,,\"x\"y,", .invalid, "something follows a quote"),
      (
        .requests, "block,49015420323751,," + String(repeating: "x", count: 513) + ",", .invalid,
        "reason cannot be used"
      ),
      (
        .requests, "block,49015420323751,," + String(repeating: "x", count: 3_000) + ",", .invalid,
        "the line is too long"
      ),
      (.ownDelta, "take,49015420323751,,", .invalid, "operation cannot be used"),
      (.sightings, "49015420323751,,,,white,2026-11-23T06:23:17Z", .empty, "imsi is empty"),
      (.sightings, "49015420323751,001010123456789,,6g,white,2026-11-23T06:23:17Z", .invalid, nil),
      (.sightings, "49015420323751,001010123456789,,,pink,2026-11-23T06:23:17Z", .invalid, nil),
      (.sightings, "49015420323751,001010123456789,,,white,yesterday", .invalid, nil),
      (.resend, "0", .invalid, nil), (.resend, "1000000000", .invalid, nil),
      (.acknowledgement, "x,1,\(String(repeating: "0", count: 64)),0", .invalid, nil),
    ] as [(InboundName.Kind, String, LineCode, String?)])
  func `a line that cannot be understood is refused alone`(
    kind: InboundName.Kind, line: String, code: LineCode, detail: String?
  ) throws {
    let text = kind.columns.joined(separator: ",") + "\r\n" + line + "\r\n" + line
    for piece in [1, 1 << 20] {
      let rows = try read(Array(text.utf8), kind, piece: piece)
      let expected = LineRefusal(line: 2, code, detail ?? "")
      // The empty last line does not exist.
      #expect(rows.count == (line.isEmpty ? 1 : 2))
      guard case .refusal(let refusal) = rows.first else {
        Issue.record("\(line) was not refused")
        return
      }
      #expect(refusal.code == code)
      #expect(refusal.line == 2)
      if detail != nil { #expect(refusal == expected) }
      #expect(!refusal.detail.contains("490154"), "no identity is shown")
    }
  }

  @Test func `a line that is not UTF-8 is refused alone`() throws {
    let bytes = Array("number\n".utf8) + [0xFF, 0x0A] + Array("7\n".utf8)
    #expect(
      try read(bytes, .resend, piece: 3) == [
        .refusal(LineRefusal(line: 2, .unreadable, "the line is not UTF-8")),
        .record(line: 3, .resend(FileNumber(7)!)),
      ])
  }

  @Test(arguments: ["", "\n", "numbers\n", "\u{FEFF}number\n", "7\n"])
  func `another header refuses the whole file`(text: String) {
    #expect(throws: ExchangeError(.malformed, "line 1 must be the header number")) {
      try read(Array(text.utf8), .resend, piece: 100)
    }
  }

  @Test func `a file of too many lines is refused`() {
    let bytes = Array(("number\n" + String(repeating: "7\n", count: 100_001)).utf8)
    #expect(throws: ExchangeError(.fileTooLong, "over 100000 lines")) {
      try read(bytes, .resend, piece: 65_536)
    }
  }
}

private func read(
  _ bytes: [UInt8], _ kind: InboundName.Kind, piece: Int
) throws -> [InboundFileReader.Row] {
  var reader = InboundFileReader(kind)
  var rows: [InboundFileReader.Row] = []
  for start in stride(from: 0, to: bytes.count, by: piece) {
    rows += try reader.rows(in: Array(bytes[start..<min(start + piece, bytes.count)]))
  }
  return rows + (try reader.finish())
}

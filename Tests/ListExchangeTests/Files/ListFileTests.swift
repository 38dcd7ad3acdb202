import Crypto
import DeviceIdentity
import DeviceLists
import Foundation
import Simulation
import Testing

@testable import ListExchange

struct ListFileTests {
  static let seed = UInt64.random(in: 0...(.max))

  @Test func `every kind of subject has its line`() {
    var writer = ListFileWriter(.incremental)
    for change in Samples.everyKind { writer.append(change) }
    #expect(
      FileSamples.text(writer.take()) == """
        position,operation,scope,kind,first,second,status,overridable,codes
        12,set,all,imei,49015420323751,,black,0,courtOrder stolen
        13,set,alpha,tac,49015420,,grey,1,ownershipClaim
        15,remove,all,range,00000000000000,99999999999999,,,
        20,set,alpha,pairing,49015420323751,001010123456789,white,1,genuineOwner

        """)
    #expect(writer.records == 4)
  }

  @Test(arguments: [1, 7, 1 << 20])
  func `what is written is read again, wherever it is cut`(piece: Int) throws {
    var random = RandomLists(seed: Self.seed, world: try SmallWorld())
    let feed = Feed(of: random.world.ownOperator)
    let list = random.list(entryCount: 300)
    let entries = list.entries.sorted(by: inFileOrder)
    var writer = ListFileWriter(.full)
    for entry in entries { writer.append(entry.subject, entry.scope, entry.entryClass) }
    let rows = try read(writer.take(), .full, feed: feed, piece: piece)
    #expect(
      rows.map { Entry(subject: $0.subject, scope: $0.scope, entryClass: $0.entryClass!) }
        == entries, "seed \(Self.seed)")

    let changes = (1...300).map { random.change(at: Position($0 * 3)) }
    var incremental = ListFileWriter(.incremental)
    for change in changes { incremental.append(change) }
    #expect(
      try read(incremental.take(), .incremental, feed: feed, piece: piece) == changes,
      "seed \(Self.seed)")
  }

  @Test(
    arguments: [
      ("", .cutShort), ("scope,kind,first,second,status,overridable,codes", .cutShort),
      ("scope,kind,first,second,status,overridable\n", .malformed),
      ("\u{FEFF}scope,kind,first,second,status,overridable,codes\n", .malformed),
      (header + "all,imei,49015420323751,,black,0,stolen", .cutShort),
      (header + "all,imei,4901542032375,,black,0,stolen\n", .malformed),
      (header + "all,imei,490154203237510,,black,0,stolen\n", .malformed),
      (header + "all,imei,4901542032375x,,black,0,stolen\n", .malformed),
      (header + "all,imei,49015420323751,1,black,0,stolen\n", .malformed),
      (header + "all,tac,490154,,black,0,stolen\n", .malformed),
      (header + "all,range,00000000000002,00000000000001,black,0,stolen\n", .malformed),
      (header + "all,pairing,49015420323751,0010,black,0,stolen\n", .malformed),
      (header + "all,other,49015420323751,,black,0,stolen\n", .unknownWord),
      (header + "all,imei,49015420323751,,red,0,stolen\n", .unknownWord),
      (header + "all,imei,49015420323751,,black,0,sold\n", .unknownWord),
      (header + "all,imei,49015420323751,,white,0,registered\n", .malformed),
      (header + "all,imei,49015420323751,,black,2,stolen\n", .malformed),
      (header + "all,imei,49015420323751,,black,0\n", .malformed),
      (header + "all,imei,49015420323751,,black,0,stolen,\n", .malformed),
      (header + "all,imei,49015420323751,,,,\n", .malformed),
      (header + "ALL,imei,49015420323751,,black,0,stolen\n", .malformed),
      (header + "beta,imei,49015420323751,,black,0,stolen\n", .wrongScope),
      (header + line + line, .wrongOrder),
      (header + "alpha,imei,49015420323751,,black,0,stolen\n" + line, .wrongOrder),
      (header + "all,tac,49015420,,black,0,stolen\n" + line, .wrongOrder),
      (header + String(repeating: "x", count: 2_049), .lineTooLong),
      (header + line + "\n", .malformed), (header + line.dropLast() + "\r\n", .unknownWord),
    ] as [(String, ExchangeCode)])
  func `a full file that is wrong anywhere is refused`(text: String, code: ExchangeCode) {
    for piece in [1, 1 << 20] {
      let error = #expect(throws: ExchangeError.self, "\(text)") {
        try read(Array(text.utf8), .full, feed: Samples.feed, piece: piece)
      }
      #expect(error?.code == code, "\(text)")
    }
  }

  private static let header = "scope,kind,first,second,status,overridable,codes\n"
  private static let line = "all,imei,49015420323751,,black,0,stolen\n"

  @Test(
    arguments: [
      ("0,set,all,tac,35761300,,black,0,stolen\n", .malformed),
      ("-1,set,all,tac,35761300,,black,0,stolen\n", .malformed),
      ("9999999999999999999,set,all,tac,35761300,,black,0,stolen\n", .malformed),
      ("1,put,all,tac,35761300,,black,0,stolen\n", .unknownWord),
      ("1,remove,all,tac,35761300,,black,0,stolen\n", .malformed),
      ("1,set,all,tac,35761300,,,,\n", .malformed),
      ("2,remove,all,tac,35761300,,,,\n2,remove,all,tac,35761301,,,,\n", .wrongOrder),
    ] as [(String, ExchangeCode)])
  func `an incremental file that is wrong anywhere is refused`(
    lines: String, code: ExchangeCode
  ) {
    let header = "position,operation,scope,kind,first,second,status,overridable,codes\n"
    let error = #expect(throws: ExchangeError.self, "\(lines)") {
      try read(Array((header + lines).utf8), .incremental, feed: Samples.feed, piece: 50)
    }
    #expect(error?.code == code, "\(lines)")
  }

  @Test(
    .enabled("needs python3") { FileManager.default.isExecutableFile(atPath: "/usr/bin/python3") })
  func `the Python program adds up a full file of 100,000 entries as it is`() async throws {
    var random = RandomLists(seed: Self.seed, world: try SmallWorld())
    let scopes = [Scope.all, .only(random.world.ownOperator)]
    var writer = ListFileWriter(.full)
    var digest = ListDigest.zero
    while writer.records < 100_000 {
      let subject = Self.subject(writer.records)
      for scope in scopes where scope == .all || random.generator.one(in: 5) {
        let entryClass = random.entryClass()
        writer.append(subject, scope, entryClass)
        digest += Entry(subject: subject, scope: scope, entryClass: entryClass).digest
      }
    }
    let path = NSTemporaryDirectory() + UUID().uuidString + ".csv"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(writer.take()).write(to: URL(filePath: path))
    let output = try await Self.python(path)
    #expect(output.contains("sum \(digest)\n"), "seed \(Self.seed): \(output)")
  }

  /// In the order of a file: IMEIs, ranges, TACs, pairings.
  private static func subject(_ number: Int) -> Subject {
    let imei = IMEI(unchecked: 35_000_000_000_000 + UInt64(number) * 977)
    switch number {
    case ..<80_000: return .imei(imei)
    case ..<84_000: return .range(IMEIRange(first: imei, last: IMEI(unchecked: imei.number + 9))!)
    case ..<90_000: return .tac(TAC(number: UInt32(number))!)
    default: return .pairing(Pairing(imei: imei, imsi: IMSI(packed: 15_001_010_000_000_000)!))
    }
  }

  private static func python(_ path: String) async throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/python3")
    let program = FileSamples.repository.appending(path: "Schema/exchange/digest.py")
    process.arguments = [program.path, path]
    process.standardOutput = output
    try process.run()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: bytes, as: UTF8.self)
  }
}

private func inFileOrder(_ left: Entry, _ right: Entry) -> Bool {
  let (one, other) = (left.subject.keys, right.subject.keys)
  return (left.subject.kind.rawValue, one.first, one.second, left.scope == .all ? 0 : 1)
    < (right.subject.kind.rawValue, other.first, other.second, right.scope == .all ? 0 : 1)
}

private func read(
  _ bytes: [UInt8], _ kind: ReplicationName.Kind, feed: Feed, piece: Int
) throws -> [Change] {
  var reader = ListFileReader(kind, feed: feed)
  var rows: [Change] = []
  for start in stride(from: 0, to: bytes.count, by: piece) {
    rows += try reader.rows(in: Array(bytes[start..<min(start + piece, bytes.count)]))
  }
  try reader.finish()
  #expect(reader.records == rows.count)
  return rows
}

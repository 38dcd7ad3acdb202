import DeviceIdentity
import RegistryFiles
import Simulation
import Testing

/// Lists line by line: columns, forms, changes, and what is wrong with each.
struct ListFileTests {
  static let imei = "352099001761481"

  @Test(arguments: [
    (ListKind.barred, "imei\n\(imei)\n", "imei 35209900176148 {}"),
    (.barred, "IMEI\n35-209900-176148-1\n", "imei 35209900176148 {}"),
    (.monitoring, "name,imei\nx,\(imei)\n", "imei 35209900176148 {}"),
    (.golden, "golden_imei\n\(imei)\n", "imei 35209900176148 {}"),
    (.golden, "Golden IMEI\n\(imei)\n", "imei 35209900176148 {}"),
    (
      .goldenHashed, "golden_imei\n0123456789ABCDEF0123456789abcdef\n",
      "hash 0123456789abcdef0123456789abcdef {}"
    ),
    (.barredTAC, "tac\n35209900\n", "tac 35209900 {}"),
    (
      .pairing, "msisdn,imsi,imei\n,001010000000001,\(imei)\n",
      "pairing 35209900176148 001010000000001 {}"
    ),
    (.subscribers, "uid,imsi\nA-7\\b,001010000000001\n", #"subscriber 001010000000001 A-7\b {}"#),
    (.associations, "imei,uid\n\(imei),A7\n", "association 35209900176148 A7 {}"),
    (
      .typeApproval, "tac,Certificate No\n35209900,TA 7\n",
      #"tac 35209900 {"certificate_no":"TA 7"}"#
    ),
    (
      .registration, "approved_imei,make,status\n\(imei), Acme ,WhiteList\n",
      #"imei 35209900176148 {"make":"Acme","status":"whitelist"}"#
    ),
    // The order of the columns makes no difference, and an empty one is as good as none.
    (
      .registration, "status,imei,model,make\nwhitelist,\(imei),,Acme\n",
      #"imei 35209900176148 {"make":"Acme","status":"whitelist"}"#
    ),
    (
      .registration, "imei,make\n\(imei),\"a\"\"b\\c\td\ne\"\n",
      #"imei 35209900176148 {"make":"a\"b\\c\u0009d\u000ae"}"#
    ),
    (.registration, "imei;device_id\n\(imei);D7\n", #"imei 35209900176148 {"device_id":"D7"}"#),
  ])
  func `columns are found by their names`(kind: ListKind, text: String, row: String) throws {
    let reading = try read(text, kind)
    #expect(reading.rows.map(description) == [row])
    #expect(reading.refusals.isEmpty)
  }

  @Test(arguments: [
    (ListKind.barred, "imei", "352099001761480", RefusalCode.checkDigit),
    (.barred, "imei", "3.5E+13", .spreadsheetNumber),
    (.barred, "imei", "52099001761481", .identityLength),
    (.barred, "imei", "", .fieldCount),
    (.monitoring, "imei,x", ",", .emptyIdentity),
    (.registration, "imei,make", "000000000000000,Acme", .placeholder),
    (.registration, "imei,device_id", "\(imei),a b", .malformedText),
    (
      .registration, "imei,device_id", "\(imei),\(String(repeating: "x", count: 65))",
      .malformedText
    ),
    (.goldenHashed, "golden_imei", "0123456789abcdef0123456789abcde", .malformedText),
    (.goldenHashed, "golden_imei", "0123456789abcdef0123456789abcdeg", .malformedText),
    (.goldenHashed, "golden_imei", "1.2E+31", .malformedText),
    (.barredTAC, "tac", "5209900", .identityLength),
    (.barredTAC, "tac", "3.5E+07", .spreadsheetNumber),
    (.typeApproval, "tac,x", "352099001,", .identityLength),
    (.pairing, "imei,imsi", "\(imei),0010100000000011", .identityLength),
    (.pairing, "imei,imsi", "\(imei),1.01E+12", .spreadsheetNumber),
    (.pairing, "imei,imsi", "\(imei),", .emptyIdentity),
    (.pairing, "imei,imsi", "\(imei),00101x", .notADigit),
    (.subscribers, "uid,imsi", ",001010000000001", .emptyIdentity),
    (.subscribers, "uid,imsi", "a b,001010000000001", .malformedText),
    (
      .subscribers, "uid,imsi", "\(String(repeating: "x", count: 21)),001010000000001",
      .malformedText
    ),
    (.associations, "uid,imei", "A7,1", .identityLength),
  ])
  func `a bad line is refused for its reason`(
    kind: ListKind, header: String, line: String, code: RefusalCode
  ) throws {
    // A line with nothing on it is no line.
    let line = line.isEmpty ? "a,b" : line
    let reading = try read("\(header)\n\(line)\n", kind)
    #expect(reading.refusals.map(\.code) == [code])
    #expect(reading.rows.isEmpty)
    // Whoever reads the reason learns nothing of a subscriber.
    #expect(reading.refusals.allSatisfy { !$0.description.contains("00101") })
  }

  @Test(arguments: [
    (
      ListKind.pairing, "imei\n\(imei)\n",
      RegistryFileError.Code.missingHeader(column: "imsi", linesLookedAt: 1)
    ),
    (.subscribers, "imsi\n001010000000001\n", .missingHeader(column: "uid", linesLookedAt: 1)),
    (.registration, "device\nx\n", .missingHeader(column: "approved_imei", linesLookedAt: 1)),
    (.barred, "\(imei)\n", .dataInsteadOfHeader),
    (.barred, "", .empty),
    (
      .barred, "imei,change_type\n\(imei),add\n",
      .unexpectedColumn("change_type", purpose: "say that it is a file of changes (--delta)")
    ),
  ])
  func `a file without what it must name is refused`(
    kind: ListKind, text: String, code: RegistryFileError.Code
  ) {
    let error = #expect(throws: RegistryFileError.self) { try read(text, kind) }
    #expect(error?.code == code)
    #expect(error?.fileName == "list.csv")
  }

  @Test func `a file of changes names one in each line`() throws {
    let text = """
      imei,make,change_type
      352099001761481,Acme,add
      352099001761499,,Remove
      352099001761507,Acme,UPDATE
      352099001761515,Acme,change
      352099001761481,Acme,update
      352099001761481,Acme,add

      """
    let reading = try read(text, .registration, isDelta: true)
    #expect(reading.rows.map(\.change) == [.add, .remove, .update])
    #expect(reading.rows.map(\.attributes) == [#"{"make":"Acme"}"#, "{}", #"{"make":"Acme"}"#])
    #expect(
      reading.places == ["5:unknownChange", "6:conflictingLine", "7:duplicateLine"])
    let pairs = try read("imei,change_type\n\(Self.imei),update\n", .barred, isDelta: true)
    #expect(pairs.places == ["2:unknownChange"], "There is nothing that could be updated.")
    let error = #expect(throws: RegistryFileError.self) {
      try read("imei\n\(Self.imei)\n", .barred, isDelta: true)
    }
    #expect(error?.description.contains("change_type") == true)
  }

  @Test func `the same subject again is repeated or contradicts`() throws {
    let text = "imei,make\n\(Self.imei),Acme\n\(Self.imei),Acme\n\(Self.imei),Zeta\n"
    #expect(try read(text, .registration).places == ["3:duplicateLine", "4:conflictingLine"])
    let pairs = """
      imei,imsi,msisdn
      \(Self.imei),001010000000001,1
      \(Self.imei),001010000000002,1
      \(Self.imei),001010000000001,2

      """
    #expect(try read(pairs, .pairing).places == ["4:duplicateLine"])
    let people = """
      uid,imsi
      A,001010000000001
      B,001010000000001
      A,001010000000002
      A,001010000000001

      """
    #expect(try read(people, .subscribers).places == ["5:duplicateLine"])
  }

  @Test func `an unknown column is kept or noticed`() throws {
    #expect(
      try read("imei,owner\n\(Self.imei),x\n", .barred).report.notices.map(\.code) == [
        .unknownColumn
      ])
    #expect(try read("imei,owner\n\(Self.imei),x\n", .registration).report.notices.isEmpty)
    #expect(try read("imei,imsi,msisdn\n", .pairing).report.notices.isEmpty)
  }

  @Test func `IMEIs as networks signal them have no check digit`() throws {
    let text = "imei\n35209900176148\n352099001761480\n3520990017614801\n"
    #expect(try read(text, .barred).rows.isEmpty)
    let reading = try read(text, .barred, form: .signalled)
    #expect(reading.rows.count == 1)
    #expect(reading.report.rowsRepeated == 2)
  }

  // MARK: - What the tests are made of

  @discardableResult
  private func read(
    _ text: String, _ kind: ListKind, isDelta: Bool = false, form: IMEIForm = .dialled
  ) throws -> Reading<ListRow> {
    var options = ListFile.Options()
    options.isDelta = isDelta
    options.imeiForm = form
    var file = try ListFile(
      ByteSource(bytes: Array(text.utf8), pieces: [7]), of: kind, fileName: "list.csv",
      options: options)
    var lines: [FileLine<ListRow>] = []
    while let line = try file.next() { lines.append(line) }
    return Reading(lines: lines, report: file.report)
  }

  private func description(_ row: ListRow) -> String {
    let subject =
      switch row.subject {
      case .imei(let imei): "imei \(imei)"
      case .tac(let tac): "tac \(tac)"
      case .hash(let digits): "hash \(digits)"
      case .pairing(let imei, let imsi): "pairing \(imei) \(imsi.digits)"
      case .subscriber(let imsi, let person): "subscriber \(imsi.digits) \(person)"
      case .association(let imei, let person): "association \(imei) \(person)"
      }
    return "\(subject) \(row.attributes)"
  }
}

import DeviceIdentity
import RegistryFiles

extension SampleCountry {
  /// Good lines for each bad one.
  static let goodLinesPerBadLine = 20

  /// The list of stolen devices as it may come from a police station: a byte order mark, LF and
  /// CRLF, quotes with line breaks inside, separators in IMEIs, a column that nobody knows, blank
  /// lines, bad lines of every kind, and an end in the middle of a line.
  func writeDirtyStolen(to path: String) throws(SimulationError) -> ExpectedReading {
    var file = try OutputFile(path: path)
    var expected = ExpectedReading()
    var badLines = 0
    file.bytes.append("\u{FEFF}IMEI,reporting_date,Status,\"case_reference\",note\r\n")
    for index in 0..<stolenDeviceCount {
      for report in reports(index) {
        appendGood(report, number: expected.rowsKept, to: &file.bytes)
        expected.rowsKept += 1
        guard expected.rowsKept.isMultiple(of: Self.goodLinesPerBadLine) else { continue }
        let kinds = DirtyLine.allCases.filter { !$0.isLong }
        append(kinds[badLines % kinds.count], badLines, after: report, &file.bytes, &expected)
        badLines += 1
      }
      try file.lineEnded()
    }
    guard let last = reports(stolenDeviceCount - 1).last else { return expected }
    for kind in DirtyLine.allCases {
      append(kind, badLines, after: last, &file.bytes, &expected)
      badLines += 1
      try file.lineEnded()
    }
    appendCutEnd(&file.bytes, badLines, &expected)
    try file.flush()
    return expected
  }

  private func appendGood(_ report: SampleReport, number: Int, to bytes: inout [UInt8]) {
    switch number % 7 {
    case 1:
      let text = report.imei.dialled
      let (tac, serial) = (text.prefix(8), text.dropFirst(8).prefix(6))
      bytes.append("\(tac)-\(serial)-\(text.suffix(1)),,\(report.ground),,\r\n")
    case 2:
      bytes.append(report)
      bytes.append(",\"taken \"\"on the bus\"\",\r\nthen seen in the market\"\n")
    case 3:
      bytes.append(report)
      bytes.append(",Café\r\n\r\n")
    default:
      bytes.append(report)
      bytes.append(",\r\n")
    }
  }

  private func append(
    _ kind: DirtyLine, _ number: Int, after report: SampleReport, _ bytes: inout [UInt8],
    _ expected: inout ExpectedReading
  ) {
    // A good line with separators leaves out the date and the case.
    let earlier =
      (expected.rowsKept - 1) % 7 == 1
      ? SampleReport(
        imei: report.imei, ground: report.ground, leavesStatusEmpty: false, reportedOn: nil,
        caseReference: "") : report
    bytes.append(contentsOf: kind.bytes(unreported: unreportedIMEI(number), earlier: earlier))
    bytes.append(number.isMultiple(of: 2) ? "\n" : "\r\n")
    expected.refused[kind.code, default: 0] += 1
  }

  /// A quote that nobody closes, then a line that ends in the middle.
  private func appendCutEnd(
    _ bytes: inout [UInt8], _ number: Int, _ expected: inout ExpectedReading
  ) {
    bytes.append("\(unreportedIMEI(number).dialled),20250301,,\"C-1,\n")
    expected.refused[.unclosedQuote, default: 0] += 1
    bytes.append("\(unreportedIMEI(number).dialled),2025")
    expected.refused[.fieldCount, default: 0] += 1
  }

  private func unreportedIMEI(_ number: Int) -> IMEI {
    let unreported = deviceCount - stolenDeviceCount
    return device(reportedDevice(stolenDeviceCount + number % unreported)).imeis[0]
  }
}

import DeviceLists
import RegistryFiles
import RegistryStore

/// The good lines of a TAC list, as the store takes them.
final class TACRows {
  private var file: TACListFile
  private let listener: FileImport.Listener
  private var lines = 0

  init(path: String, listener: FileImport.Listener) throws {
    file = try TACListFile(ByteSource(path: path), fileName: FileName.last(of: path))
    self.listener = listener
  }

  var report: FileReport { file.report }

  func next() throws -> TACRow? {
    while let line = try file.next() {
      lines += 1
      if lines % FileImport.readInterval == 0 { listener.read(lines) }
      switch line {
      case .refused(let refusal): try listener.refused(refusal)
      case .row(let allocation):
        return TACRow(
          tac: allocation.tac, manufacturer: allocation.manufacturer ?? "",
          model: allocation.model ?? "", attributes: Self.json(allocation.attributes))
      }
    }
    return nil
  }

  private static func json(_ attributes: [TACAllocation.Attribute]) -> String {
    let members = attributes.map { "\(quoted($0.name)):\(quoted($0.value))" }
    return "{\(members.joined(separator: ","))}"
  }

  /// RFC 8259, 7.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted.unicodeScalars.append(contentsOf: ["\\", scalar])
      case "\0"..<" ":
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}

/// The good lines of a stolen list, as the store takes them.
final class StolenRows {
  private var file: StolenListFile
  private let listener: FileImport.Listener
  private var lines = 0

  init(
    path: String, today: CivilDate, form: StolenListFile.IMEIForm,
    listener: FileImport.Listener
  ) throws {
    var options = StolenListFile.Options(asOf: today)
    options.imeiForm = form
    file = try StolenListFile(
      ByteSource(path: path), fileName: FileName.last(of: path), options: options)
    self.listener = listener
  }

  var report: FileReport { file.report }

  func next() throws -> StolenRow? {
    while let line = try file.next() {
      lines += 1
      if lines % FileImport.readInterval == 0 { listener.read(lines) }
      switch line {
      case .refused(let refusal): try listener.refused(refusal)
      case .row(let report):
        return StolenRow(
          imei: report.imei, code: report.ground, caseReference: report.caseReference ?? "",
          reported: report.reportedOn)
      }
    }
    return nil
  }
}

import DeviceLists
import RegistryFiles
import RegistryStore

/// The good lines of a TAC list, as the store takes them.
final class TACRows {
  private var file: TACListFile
  private let listener: FileImport.Listener

  init(_ input: InputFile, listener: FileImport.Listener) throws {
    file = try TACListFile(input.source(), fileName: input.name)
    self.listener = listener
  }

  var report: FileReport { file.report }

  func next() throws -> TACRow? {
    while let line = try file.next() {
      guard let allocation = try listener.row(of: line) else { continue }
      let attributes = allocation.attributes.map { (name: $0.name, value: $0.value) }
      return TACRow(
        tac: allocation.tac, manufacturer: allocation.manufacturer ?? "",
        model: allocation.model ?? "", attributes: JSONText.object(attributes))
    }
    return nil
  }
}

/// The good lines of a stolen list, as the store takes them.
final class StolenRows {
  private var file: StolenListFile
  private let listener: FileImport.Listener

  init(
    _ input: InputFile, _ options: StolenListFile.Options, listener: FileImport.Listener
  ) throws {
    file = try StolenListFile(input.source(), fileName: input.name, options: options)
    self.listener = listener
  }

  var report: FileReport { file.report }

  func next() throws -> StolenRow? {
    try nextReport().map { report in
      StolenRow(
        imei: report.imei, code: report.ground, caseReference: report.caseReference ?? "",
        reported: report.reportedOn)
    }
  }

  func nextReport() throws -> StolenReport? {
    while let line = try file.next() {
      if let report = try listener.row(of: line) { return report }
    }
    return nil
  }
}

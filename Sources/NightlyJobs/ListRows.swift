import DeviceIdentity
import DeviceLists
import RegistryFiles
import RegistryStore

/// The good lines of a list.
final class ListRows {
  private var file: ListFile
  private let listener: FileImport.Listener

  init(
    _ input: InputFile, of kind: ListKind, _ options: ListFile.Options,
    listener: FileImport.Listener
  ) throws {
    file = try ListFile(input.source(), of: kind, fileName: input.name, options: options)
    self.listener = listener
  }

  var report: FileReport { file.report }

  func next() throws -> ListRow? {
    while let line = try file.next() {
      if let row = try listener.row(of: line) { return row }
    }
    return nil
  }
}

extension ReferenceRow {
  init(_ row: ListRow) {
    let (key, text) =
      switch row.subject {
      case .imei(let imei): (imei.number, "")
      case .tac(let tac): (UInt64(tac.number), "")
      case .hash(let digits): (0, digits)
      case .subscriber(let imsi, let person): (imsi.packed, person)
      case .association(let imei, let person): (imei.number, person)
      case .pairing(let imei, _): (imei.number, "")
      }
    self.init(
      key1: Int64(key), keyText: text, attributes: row.attributes,
      change: row.change.map(RowChange.init))
  }
}

extension GroundRow {
  /// Nil for what no ground can be about.
  init?(_ row: ListRow, code: GroundCode) {
    let subject: Subject
    switch row.subject {
    case .imei(let imei): subject = .imei(imei)
    case .tac(let tac): subject = .tac(tac)
    case .pairing(let imei, let imsi): subject = .pairing(Pairing(imei: imei, imsi: imsi))
    case .hash, .subscriber, .association: return nil
    }
    self.init(subject: subject, code: code, change: row.change.map(RowChange.init))
  }

  init(_ report: StolenReport) {
    self.init(
      subject: .imei(report.imei), code: report.ground,
      caseReference: report.caseReference ?? "", reported: report.reportedOn,
      change: report.change.map(RowChange.init))
  }
}

extension RowChange {
  init(_ change: ListChange) {
    self =
      switch change {
      case .add: .add
      case .remove: .remove
      case .update: .update
      }
  }
}

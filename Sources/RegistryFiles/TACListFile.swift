import DeviceIdentity

/// A list of type allocations, row by row: GSMA's form (`|`) or Osmocom's (`,`, a licence line
/// before the header, brand and model both called `name`).
///
/// Only the column `tac` must be there; columns without a field of their own become attributes. Of
/// several lines for one TAC the first is kept.
package struct TACListFile: ~Copyable, Sendable, RowFile {
  static let manufacturerColumns = [
    "manufacturer", "manufacturer_or_applicant", "applicant", "brand", "brand_name", "make",
    "vendor",
  ]
  static let modelColumns = ["model_name", "model", "marketing_name", "name"]

  var table: TableReader
  private let columns: Columns
  private var firstLines = FirstLines<TAC>()

  /// Reads as far as the header.
  package init(
    _ source: consuming ByteSource, fileName: String, delimiter: Delimiter? = nil,
    limits: FileLimits = FileLimits()
  ) throws(RegistryFileError) {
    let kind = TableReader.Kind(mandatoryColumns: ["tac"], allowsPreamble: true) { _ in false }
    var table = try TableReader.opened(
      source, fileName: fileName, kind: kind, delimiter: delimiter, limits: limits)
    columns = try Columns(table.header, fileName: fileName)
    let others = columns.attributes.map { table.header.names[$0] }
    if !others.isEmpty {
      table.notice(
        .keptAsAttributes,
        "names columns without a field of their own, kept as attributes: "
          + others.joined(separator: ", "),
        line: table.header.line)
    }
    self.table = table
  }

  /// Complete once ``next()`` has returned nil.
  package var report: FileReport { table.report }

  /// Nil at the end of the file.
  package mutating func next() throws(RegistryFileError) -> FileLine<TACAllocation>? {
    try nextRow()
  }

  mutating func parse() throws(FieldFault) -> TACAllocation {
    let row = TACAllocation(
      tac: try table.tac(columns.tac), manufacturer: text(columns.manufacturer),
      model: text(columns.model),
      attributes: attributes(), line: table.reader.line)
    var content = ContentDigest()
    content.combine(row.manufacturer)
    content.combine(row.model)
    for attribute in row.attributes {
      content.combine(attribute.name)
      content.combine(attribute.value)
    }
    if let fault = firstLines.note(row.tac, content: content, line: row.line, column: columns.tac) {
      throw fault
    }
    return row
  }

  private func attributes() -> [TACAllocation.Attribute] {
    var attributes: [TACAllocation.Attribute] = []
    for column in columns.attributes {
      guard let value = text(column) else { continue }
      attributes.append(.init(name: table.header.names[column], value: value))
    }
    return attributes
  }

  private func text(_ column: Int?) -> String? {
    guard let column, !table.reader.isEmpty(column) else { return nil }
    return table.reader.text(column)
  }
}

extension TACListFile {
  private struct Columns {
    let tac: Int
    let manufacturer: Int?
    let model: Int?
    let attributes: [Int]

    init(_ header: Header, fileName: String) throws(RegistryFileError) {
      do throws(RegistryFileError) {
        tac = try header.mandatoryIndex(of: "tac")
        let names = header.plainNames.indices.filter { header.plainNames[$0] == "name" }
        let manufacturer = try header.index(of: TACListFile.manufacturerColumns)
        if manufacturer == nil, names.count == 2 {
          (self.manufacturer, model) = (names[0], names[1])
        } else {
          self.manufacturer = manufacturer
          model = try header.index(of: TACListFile.modelColumns)
        }
      } catch {
        throw error.named(fileName)
      }
      let named = [tac, manufacturer, model]
      attributes = header.names.indices.filter { !named.contains($0) }
    }
  }
}

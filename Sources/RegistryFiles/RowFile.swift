/// A file of rows: what stands between the lines of a table and the values of one kind of file.
protocol RowFile: ~Copyable {
  associatedtype Row: Hashable & Sendable
  var table: TableReader { get set }
  /// The current record.
  mutating func parse() throws(FieldFault) -> Row
}

extension RowFile where Self: ~Copyable {
  /// The next line, and the books about it; nil at the end of the file. Each file calls it under
  /// its own name, so that it is made for that file and costs no more than if it stood there.
  @inline(__always)
  mutating func nextRow() throws(RegistryFileError) -> FileLine<Row>? {
    switch try table.next() {
    case .end: return nil
    case .refused(let refusal): return .refused(refusal)
    case .record:
      do throws(FieldFault) {
        let row = try parse()
        table.keep()
        return .row(row)
      } catch {
        return .refused(table.refuse(error.code, error.reason, column: error.column))
      }
    }
  }
}

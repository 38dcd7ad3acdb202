import DeviceIdentity
package import DeviceLists

/// The columns of full and incremental files: `Schema/exchange/files.md`. Those of a full file are
/// what `Schema/exchange/digest.py` reads.
package enum ListFile {
  package static let fullColumns = [
    "scope", "kind", "first", "second", "status", "overridable", "codes",
  ]
  package static let incrementalColumns = ["position", "operation"] + fullColumns

  package static func columns(of kind: ReplicationName.Kind) -> [String] {
    switch kind {
    case .full: fullColumns
    case .incremental: incrementalColumns
    }
  }

  static func header(of kind: ReplicationName.Kind) -> [UInt8] {
    Array((columns(of: kind).joined(separator: ",") + "\n").utf8)
  }

  static func word(of kind: Subject.Kind) -> StaticString {
    switch kind {
    case .imei: "imei"
    case .range: "range"
    case .tac: "tac"
    case .pairing: "pairing"
    }
  }
}

/// Writes the text of a list file; nothing in it ever needs quotes.
///
/// The caller takes the bytes in pieces as large as it likes.
package struct ListFileWriter {
  private let kind: ReplicationName.Kind
  private var bytes: [UInt8]
  /// Lines without the header.
  package private(set) var records = 0
  /// The end of a line, from the status on: entries by the million share few of them.
  private var endings: [EntryClass: [UInt8]] = [:]
  private static let mostEndings = 1_024

  package init(_ kind: ReplicationName.Kind) {
    self.kind = kind
    bytes = ListFile.header(of: kind)
  }

  /// Bytes written and not yet taken.
  package var byteCount: Int { bytes.count }

  /// What was written since the last call.
  package mutating func take() -> [UInt8] {
    let piece = bytes
    bytes.removeAll(keepingCapacity: true)
    return piece
  }

  /// A line of a full file. Subjects come in the order of kind and keys, the entry for all
  /// operators before the own one.
  package mutating func append(_ subject: Subject, _ scope: Scope, _ entryClass: EntryClass) {
    records += 1
    write(scope, subject)
    write(entryClass)
  }

  /// A line of an incremental file.
  package mutating func append(_ change: Change) {
    records += 1
    bytes.append(decimal: change.position.number)
    bytes.append(static: change.entryClass == nil ? ",remove," : ",set,")
    write(change.scope, change.subject)
    if let entryClass = change.entryClass {
      write(entryClass)
    } else {
      bytes.append(static: ",,,\n")
    }
  }

  private mutating func write(_ scope: Scope, _ subject: Subject) {
    bytes += scope.description.utf8
    bytes.append(UInt8(ascii: ","))
    bytes.append(static: ListFile.word(of: subject.kind))
    bytes.append(UInt8(ascii: ","))
    switch subject {
    case .imei(let imei):
      bytes.append(digitsOf: imei.number, width: 14)
      bytes.append(UInt8(ascii: ","))
    case .tac(let tac):
      bytes.append(digitsOf: UInt64(tac.number), width: 8)
      bytes.append(UInt8(ascii: ","))
    case .range(let range):
      bytes.append(digitsOf: range.first.number, width: 14)
      bytes.append(UInt8(ascii: ","))
      bytes.append(digitsOf: range.last.number, width: 14)
    case .pairing(let pairing):
      bytes.append(digitsOf: pairing.imei.number, width: 14)
      bytes.append(UInt8(ascii: ","))
      bytes += pairing.imsi.digits.utf8
    }
  }

  private mutating func write(_ entryClass: EntryClass) {
    if let ending = endings[entryClass] {
      bytes += ending
      return
    }
    let codes = entryClass.codes.codes.map(\.description).joined(separator: " ")
    let ending = Array(
      ",\(entryClass.status),\(entryClass.isOverridable ? 1 : 0),\(codes)\n".utf8)
    if endings.count < Self.mostEndings { endings[entryClass] = ending }
    bytes += ending
  }
}

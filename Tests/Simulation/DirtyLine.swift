package import DeviceIdentity
package import RegistryFiles

/// What goes wrong in lists that people and spreadsheets make; one line of each kind, and the code
/// under which it must be refused.
package enum DirtyLine: CaseIterable, Sendable {
  case wrongCheckDigit, thirteenDigits, seventeenDigits, lostLeadingZero, letters
  case fullwidthDigits, spreadsheetNumber, noIMEI, placeholder
  case futureDate, noSuchDay, dateTooEarly, unknownStatus, lineBreakInCase, longCase
  case tooFewFields, tooManyFields, latin1, nulByte, strayQuote, longField, longRecord
  case repetition, contradiction

  package var code: RefusalCode {
    switch self {
    case .wrongCheckDigit: .checkDigit
    case .thirteenDigits, .seventeenDigits, .lostLeadingZero: .identityLength
    case .letters: .notADigit
    case .fullwidthDigits: .notASCII
    case .spreadsheetNumber: .spreadsheetNumber
    case .noIMEI: .emptyIdentity
    case .placeholder: .placeholder
    case .futureDate: .dateInFuture
    case .noSuchDay: .notADate
    case .dateTooEarly: .dateTooEarly
    case .unknownStatus: .unknownStatus
    case .lineBreakInCase: .controlCharacter
    case .longCase: .textTooLong
    case .tooFewFields, .tooManyFields: .fieldCount
    case .latin1: .notUTF8
    case .nulByte: .nulByte
    case .strayQuote: .strayQuote
    case .longField: .fieldTooLong
    case .longRecord: .recordTooLong
    case .repetition: .duplicateLine
    case .contradiction: .conflictingLine
    }
  }

  /// Kinds so long that a file holds each only once.
  package var isLong: Bool { self == .longField || self == .longRecord }

  /// The line, without its end, in a file of the columns imei, reporting_date, status,
  /// case_reference, note. `unreported` is on no other line; `earlier` is a good line before it.
  package func bytes(unreported imei: IMEI, earlier: SampleReport) -> [UInt8] {
    let dialled = imei.dialled
    return switch self {
    case .wrongCheckDigit: Array("\(imei)\((imei.checkDigit + 1) % 10),20250301,,C-1,".utf8)
    case .thirteenDigits: Array("\(dialled.dropFirst(2)),20250301,,C-1,".utf8)
    case .seventeenDigits: Array("\(dialled)07,20250301,,C-1,".utf8)
    case .lostLeadingZero: Array("\(dialled.dropFirst()),20250301,,C-1,".utf8)
    case .letters: Array("\(dialled.dropLast(2))O1,20250301,,C-1,".utf8)
    case .fullwidthDigits: Array("\(Self.fullwidth(dialled)),20250301,,C-1,".utf8)
    case .spreadsheetNumber: Array("3.5E+13,20250301,,C-1,".utf8)
    case .noIMEI: Array(",20250301,,C-1,".utf8)
    case .placeholder: Array("000000000000000,20250301,,C-1,".utf8)
    case .futureDate: Array("\(dialled),20990101,,C-1,".utf8)
    case .noSuchDay: Array("\(dialled),2025-02-29,,C-1,".utf8)
    case .dateTooEarly: Array("\(dialled),00250301,,C-1,".utf8)
    case .unknownStatus: Array("\(dialled),20250301,borrowed,C-1,".utf8)
    case .lineBreakInCase: Array("\(dialled),20250301,,\"C-1\nC-2\",".utf8)
    case .longCase: Array("\(dialled),20250301,,\(String(repeating: "C", count: 65)),".utf8)
    case .tooFewFields: Array("\(dialled),20250301".utf8)
    case .tooManyFields: Array("\(dialled),20250301,,C-1,,,".utf8)
    case .latin1: Array("\(dialled),20250301,,C-1,Caf".utf8) + [0xE9]
    case .nulByte: Array("\(dialled),20250301,,C-1,".utf8) + [0x41, 0x00]
    case .strayQuote: Array("\(dialled),20250301,,\"C-1\"2,".utf8)
    case .longField: Array("\(dialled),,,,".utf8) + [UInt8](repeating: 0x41, count: 9_000)
    case .longRecord: Array("\(dialled),,,,".utf8) + [UInt8](repeating: 0x41, count: 70_000)
    case .repetition: Self.line(earlier)
    case .contradiction: Self.line(earlier, caseSuffix: "-B")
    }
  }

  private static func line(_ report: SampleReport, caseSuffix: String = "") -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(report)
    bytes.append(caseSuffix + ",said twice")
    return bytes
  }

  /// U+FF10 to U+FF19.
  private static func fullwidth(_ digits: String) -> String {
    String(
      String.UnicodeScalarView(
        digits.unicodeScalars.compactMap { Unicode.Scalar($0.value - 0x30 + 0xFF10) }))
  }
}

/// Why a line is not used. The numbers are stable and stand in `Schema/exchange/codes.md`.
package enum RefusalCode: UInt16, Hashable, Comparable, Sendable, CaseIterable,
  CustomStringConvertible
{
  // The shape of the line.
  case fieldCount = 2101
  case recordTooLong = 2102
  case notUTF8 = 2103
  case nulByte = 2104
  case unclosedQuote = 2105
  case strayQuote = 2106
  case fieldTooLong = 2107
  // The identity.
  case emptyIdentity = 2201
  case identityLength = 2202
  case notADigit = 2203
  case notASCII = 2204
  case spreadsheetNumber = 2205
  case checkDigit = 2206
  case placeholder = 2207
  // The other values.
  case notADate = 2301
  case dateInFuture = 2302
  case dateTooEarly = 2303
  case dateOutside = 2304
  case unknownStatus = 2311
  case unknownTechnology = 2312
  case unknownChange = 2313
  case malformedText = 2314
  case controlCharacter = 2321
  case textTooLong = 2322
  // Repetition within the file; the first of the lines is kept.
  case duplicateLine = 2401
  case conflictingLine = 2402

  /// The word of the code, as in reports and `--format json`.
  package var description: String {
    switch self {
    case .fieldCount: "fieldCount"
    case .recordTooLong: "recordTooLong"
    case .notUTF8: "notUTF8"
    case .nulByte: "nulByte"
    case .unclosedQuote: "unclosedQuote"
    case .strayQuote: "strayQuote"
    case .fieldTooLong: "fieldTooLong"
    case .emptyIdentity: "emptyIdentity"
    case .identityLength: "identityLength"
    case .notADigit: "notADigit"
    case .notASCII: "notASCII"
    case .spreadsheetNumber: "spreadsheetNumber"
    case .checkDigit: "checkDigit"
    case .placeholder: "placeholder"
    case .notADate: "notADate"
    case .dateInFuture: "dateInFuture"
    case .dateTooEarly: "dateTooEarly"
    case .dateOutside: "dateOutside"
    case .unknownStatus: "unknownStatus"
    case .unknownTechnology: "unknownTechnology"
    case .unknownChange: "unknownChange"
    case .malformedText: "malformedText"
    case .controlCharacter: "controlCharacter"
    case .textTooLong: "textTooLong"
    case .duplicateLine: "duplicateLine"
    case .conflictingLine: "conflictingLine"
    }
  }

  /// What a summary says of all lines that were refused for this.
  package var sentence: String {
    switch self {
    case .fieldCount: "the number of fields is not that of the header"
    case .recordTooLong: "the line is too long"
    case .notUTF8: "the line is not UTF-8"
    case .nulByte: "the line holds a NUL byte"
    case .unclosedQuote: "a quote is opened and never closed"
    case .strayQuote: "something follows a closing quote"
    case .fieldTooLong: "a field is too long"
    case .emptyIdentity: "the identity is missing"
    case .identityLength: "the identity has a wrong number of digits"
    case .notADigit: "the identity holds something other than digits"
    case .notASCII: "the identity holds a character outside ASCII"
    case .spreadsheetNumber: "a spreadsheet has rounded the identity"
    case .checkDigit: "the check digit is wrong"
    case .placeholder: "the identity is a placeholder that many devices send"
    case .notADate: "the date is not a date"
    case .dateInFuture: "the date is in the future"
    case .dateTooEarly: "the date is too early"
    case .dateOutside: "the date is not among the days of the file"
    case .unknownStatus: "the status is not known"
    case .unknownTechnology: "the radio technology is not known"
    case .unknownChange: "the change is none that this list can have"
    case .malformedText: "a text is not of the form that its column has"
    case .controlCharacter: "a text holds a control character"
    case .textTooLong: "a text is too long"
    case .duplicateLine: "the line repeats an earlier one"
    case .conflictingLine: "the line contradicts an earlier one"
    }
  }

  package static func < (left: RefusalCode, right: RefusalCode) -> Bool {
    left.rawValue < right.rawValue
  }
}

/// One line that is not used, and why. Never shows what the line holds.
package struct Refusal: Hashable, Sendable, CustomStringConvertible {
  package let fileName: String
  /// The first line of the record, from 1.
  package let line: Int
  /// As the header names it; absent where the whole line is meant.
  package let column: String?
  package let code: RefusalCode
  /// Goes on after "column imei": `has 14 digits instead of 15`.
  package let reason: String

  /// `stolen.csv, line 17, column imei: has 14 digits instead of 15 (2202)`
  package var description: String {
    let place = column.map { ", column \($0)" } ?? ""
    return "\(fileName), line \(line)\(place): \(reason) (\(code.rawValue))"
  }
}

/// Something worth knowing about a file that refuses no line.
package struct Notice: Hashable, Sendable, CustomStringConvertible {
  package enum Code: UInt16, Hashable, Sendable {
    case preambleSkipped = 2501
    case unknownColumn = 2502
    case repeatedColumnName = 2503
    /// The file may have been cut.
    case noFinalLineEnd = 2504
    case keptAsAttributes = 2505
  }

  package let fileName: String
  package let line: Int
  package let code: Code
  package let reason: String

  package var description: String { "\(fileName), line \(line): \(reason) (\(code.rawValue))" }
}

/// Why a text is not the identity that it should be. Shows counts and positions, never the text.
package struct IdentityError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: Hashable, Sendable {
    case empty
    /// A number of digits that the identity cannot have.
    case length(digits: Int, expected: ClosedRange<Int>)
    /// Something other than the ASCII digits 0 to 9; `position` counts from 1.
    case notADigit(position: Int)
    /// Digits of another script, such as fullwidth ones.
    case notASCII(position: Int)
    /// A number in scientific notation: a spreadsheet has rounded the identity away.
    case spreadsheetNumber
    case checkDigit(expected: UInt8, found: UInt8)
  }

  package let code: Code

  package init(_ code: Code) { self.code = code }

  package var description: String {
    switch code {
    case .empty: "is empty"
    case .length(let digits, let expected) where expected.count == 1:
      "has \(digits) digits instead of \(expected.lowerBound)"
        + (digits == expected.lowerBound - 1
          ? " (was a leading zero or the check digit lost?)" : "")
    case .length(let digits, let expected):
      "has \(digits) digits instead of \(expected.lowerBound) to \(expected.upperBound)"
    case .notADigit(let position): "has something other than a digit at place \(position)"
    case .notASCII(let position):
      "has a character outside ASCII at place \(position): only the digits 0 to 9 are meant"
    case .spreadsheetNumber:
      "is a rounded number in scientific notation: format the column as text and export again"
    case .checkDigit(let expected, let found):
      "has the check digit \(found) where \(expected) is right"
    }
  }
}

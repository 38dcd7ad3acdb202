/// Why a text is not the identity that it should be. Shows counts and positions, never the text, so
/// that one description serves strangers and the log.
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
    case .length(let digits, let expected):
      "has \(digits == 1 ? "1 digit" : "\(digits) digits") instead of \(Self.text(expected))"
        + (digits == expected.lowerBound - 1 ? " (\(Self.oneMissing(of: expected)))" : "")
    case .notADigit(let position): "has something other than a digit at place \(position)"
    case .notASCII(let position):
      "has a character outside ASCII at place \(position): only the digits 0 to 9 are meant"
    case .spreadsheetNumber:
      "is a rounded number in scientific notation: format the column as text and export again"
    case .checkDigit(let expected, let found):
      "has the check digit \(found) where \(expected) is right"
    }
  }
  private static func text(_ expected: ClosedRange<Int>) -> String {
    expected.count == 1
      ? "\(expected.lowerBound)" : "\(expected.lowerBound) to \(expected.upperBound)"
  }

  /// Fifteen digits are asked for only where a check digit stands at the end.
  private static func oneMissing(of expected: ClosedRange<Int>) -> String {
    expected == 15...15
      ? "was a leading zero or the check digit lost?" : "was a leading zero lost?"
  }
}

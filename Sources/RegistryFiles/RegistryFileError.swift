import Glibc

/// Why a file cannot be read at all. A single bad line is a ``Refusal`` instead.
package struct RegistryFileError: Error, Hashable, Sendable, CustomStringConvertible,
  CustomDebugStringConvertible
{
  package enum Code: Hashable, Sendable {
    /// The system's error number.
    case unreadable(errno: Int32)
    case empty
    case utf16
    /// No line holds the names of the columns; `linesLookedAt` counts from the first line.
    case missingHeader(column: String, linesLookedAt: Int)
    /// The first line holds values where the names of the columns should stand.
    case dataInsteadOfHeader
    /// A column whose values decide something is there twice.
    case repeatedColumn(String)
    case tooManyColumns(limit: Int)
    /// The header line itself is refused.
    case badHeader(RefusalCode, line: Int)
  }

  package let code: Code
  /// As the reader of the file was told to call it; empty until it is known.
  package let fileName: String

  package init(_ code: Code, fileName: String = "") {
    self.code = code
    self.fileName = fileName
  }

  func named(_ name: String) -> RegistryFileError { RegistryFileError(code, fileName: name) }

  /// Stable; 2001 to 2099.
  package var number: UInt16 {
    switch code {
    case .unreadable: 2001
    case .empty: 2002
    case .utf16: 2003
    case .missingHeader: 2004
    case .dataInsteadOfHeader: 2005
    case .repeatedColumn: 2006
    case .tooManyColumns: 2007
    case .badHeader: 2008
    }
  }

  package var description: String { (fileName.isEmpty ? "the file" : fileName) + " " + reason }

  package var debugDescription: String { "\(description) [\(number)]" }

  private var reason: String {
    switch code {
    case .unreadable(let errno): "cannot be read: \(String(cString: strerror(errno)))"
    case .empty: "is empty: not even a header is in it"
    case .utf16: "is UTF-16: save it as UTF-8 and hand it over again"
    case .missingHeader(let column, 1):
      "has no column \(column) in line 1: the first line must name the columns"
    case .missingHeader(let column, let lines):
      "has no column \(column) in its first \(lines) lines: one of them must name the columns"
    case .dataInsteadOfHeader:
      "has no header: line 1 holds values where the names of the columns should stand"
    case .repeatedColumn(let column):
      "has the column \(column) twice: which of them counts cannot be known"
    case .tooManyColumns(let limit): "has more than \(limit) columns"
    case .badHeader(let code, let line): "has a bad header in line \(line): \(code.sentence)"
    }
  }
}

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
    /// Not what a gzip or zip file must be, or cut.
    case damagedArchive
    /// A zip file without the one file that it must hold.
    case zipMembers(count: Int)
    case unsupportedZip(UnsupportedZip)
    case restoresTooMuch(limitBytes: Int)
    case expandsTooMuch(limit: Int)
    /// A column that must be there for what was asked, and is not.
    case missingColumn(String, purpose: String)
    /// A column that must not be there for what was asked.
    case unexpectedColumn(String, purpose: String)
  }

  package enum UnsupportedZip: String, Hashable, Sendable {
    case encrypted = "is encrypted"
    case method = "is packed in a way other than deflate"
    case tooManyMembers = "holds too many names"
    case split = "is one part of several"
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
    case .damagedArchive: 2009
    case .zipMembers: 2010
    case .unsupportedZip: 2011
    case .restoresTooMuch: 2012
    case .expandsTooMuch: 2013
    case .missingColumn: 2014
    case .unexpectedColumn: 2015
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
    case .damagedArchive: "is a damaged gzip or zip file, or was cut: hand it over again"
    case .zipMembers(let count):
      "is a zip file of \(count) files, none of them named like it: one is wanted"
    case .unsupportedZip(let why):
      "is a zip file that cannot be read: it \(why.rawValue)"
    case .restoresTooMuch(let limit):
      "holds more than \(limit) bytes: unpack it yourself if it is what it should be"
    case .expandsTooMuch(let limit):
      "becomes more than \(limit) times as long when it is unpacked: unpack it yourself if it is "
        + "what it should be"
    case .missingColumn(let column, let purpose): "has no column \(column): \(purpose)"
    case .unexpectedColumn(let column, let purpose): "has a column \(column): \(purpose)"
    }
  }
}

/// The names of the columns of one file.
struct Header: Sendable {
  /// As the file writes them, for messages.
  let written: [String]
  /// Lower case, `_` between words; unique, a repeated name gets a number.
  let names: [String]
  /// The normal form of each name before numbers were added.
  let plainNames: [String]
  let line: Int

  init(written: [String], line: Int) {
    self.written = written
    self.line = line
    plainNames = written.enumerated().map { index, name in
      let normal = Self.normalForm(of: name)
      return normal.isEmpty ? "column_\(index + 1)" : normal
    }
    var taken: Set<String> = []
    names = plainNames.map { name in
      var unique = name
      var number = 2
      while !taken.insert(unique).inserted {
        unique = "\(name)_\(number)"
        number += 1
      }
      return unique
    }
  }

  /// `Manufacturer (or) Applicant` becomes `manufacturer_or_applicant`.
  static func normalForm(of name: String) -> String {
    var result: [UInt8] = []
    for byte in name.utf8 {
      switch byte {
      case 0x41...0x5A: result.append(byte | 0x20)
      case 0x30...0x39, 0x61...0x7A, 0x80...: result.append(byte)
      default: if let last = result.last, last != 0x5F { result.append(0x5F) }
      }
    }
    if result.last == 0x5F { result.removeLast() }
    return String(decoding: result, as: UTF8.self)
  }

  /// Where the first of `synonyms` that the header has stands; earlier synonyms win.
  func index(of synonyms: [String]) throws(RegistryFileError) -> Int? {
    for name in synonyms {
      let places = plainNames.indices.filter { plainNames[$0] == name }
      if places.count > 1 { throw RegistryFileError(.repeatedColumn(name)) }
      if let place = places.first { return place }
    }
    return nil
  }

  func mandatoryIndex(of name: String) throws(RegistryFileError) -> Int {
    guard let place = try index(of: [name]) else {
      throw RegistryFileError(.missingHeader(column: name, linesLookedAt: line))
    }
    return place
  }
}

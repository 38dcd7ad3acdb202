internal import DeviceLists

/// The bytes of a class: in the class table, in the log and in the file of held subjects.
///
/// `UInt8` status, or 255 for none; then, unless none, `UInt8` overridable, `UInt8` number of
/// ground codes, and each code's word after its `UInt8` length, in the order of the words.
enum ClassCoding {
  static let none: UInt8 = 255

  static func append(_ entryClass: EntryClass?, to bytes: inout [UInt8]) {
    guard let entryClass else { return bytes.append(none) }
    bytes.append(entryClass.status.rawValue)
    bytes.append(entryClass.isOverridable ? 1 : 0)
    let codes = entryClass.codes.codes
    bytes.append(UInt8(codes.count))
    for code in codes {
      let word = code.description.utf8
      bytes.append(UInt8(word.count))
      bytes.append(contentsOf: word)
    }
  }

  static func read(_ reader: inout ByteReader) throws(ListIndexError) -> EntryClass? {
    guard let number = reader.integer(UInt8.self) else { throw ended }
    if number == none { return nil }
    guard let status = ListStatus(rawValue: number) else {
      throw ListIndexError(.unknownWord("status \(number)"))
    }
    guard let overridable = reader.integer(UInt8.self), let count = reader.integer(UInt8.self)
    else { throw ended }
    guard overridable <= 1 else { throw ListIndexError(.damaged("a class is malformed")) }
    var codes = GroundCodeSet()
    for _ in 0..<count {
      guard let length = reader.integer(UInt8.self), let word = reader.bytes(Int(length)) else {
        throw ended
      }
      let text = String(decoding: word, as: UTF8.self)
      guard let code = GroundCode(word: text) else { throw ListIndexError(.unknownWord(text)) }
      codes.formUnion(GroundCodeSet(code))
    }
    return EntryClass(status: status, codes: codes, isOverridable: overridable == 1)
  }

  static func append(_ listed: ListedClass, to bytes: inout [UInt8]) {
    append(listed.all, to: &bytes)
    append(listed.own, to: &bytes)
  }

  static func readListed(_ reader: inout ByteReader) throws(ListIndexError) -> ListedClass {
    let all = try read(&reader)
    return ListedClass(all: all, own: try read(&reader))
  }

  private static var ended: ListIndexError {
    ListIndexError(.damaged("a class ends too early"))
  }
}

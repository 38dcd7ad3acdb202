internal import Crypto
internal import DeviceLists

/// The file of held subjects with what they answer by.
enum HeldFile {
  private static let magic = Array("CEIRHELD".utf8)
  private static let version: UInt32 = 1

  static func write(
    _ held: [Subject: ListedClass], to path: String
  ) throws(ListIndexError) {
    var bytes = magic
    bytes.append(little: version)
    bytes.append(little: UInt32(held.count))
    for (subject, listed) in held {
      bytes.append(subject.kind.rawValue)
      bytes.append(little: subject.keys.first)
      bytes.append(little: subject.keys.second)
      ClassCoding.append(listed, to: &bytes)
    }
    bytes += Array(SHA256.hash(data: bytes))
    try FileSystem.replace(path, with: bytes)
  }

  /// Empty where there is no file.
  static func read(_ path: String) throws(ListIndexError) -> [Subject: ListedClass] {
    guard FileSystem.exists(path) else { return [:] }
    let file = try MappedFile(path: path)
    do throws(ListIndexError) {
      return try file.withBytes { (bytes) throws(ListIndexError) in try read(bytes) }
    } catch {
      throw ListIndexError(error.code, path: path)
    }
  }

  private static func read(
    _ bytes: UnsafeRawBufferPointer
  ) throws(ListIndexError) -> [Subject: ListedClass] {
    let covered = bytes.count - IndexLayout.hashByteCount
    guard covered > 0, bytes.starts(with: magic) else {
      throw ListIndexError(.damaged("the held subjects are unreadable"))
    }
    let content = UnsafeRawBufferPointer(rebasing: bytes[..<covered])
    guard SHA256.hash(data: content).elementsEqual(bytes[covered...]) else {
      throw ListIndexError(.wrongHash)
    }
    var reader = ByteReader(content)
    guard reader.bytes(magic.count) != nil, let found = reader.integer(UInt32.self),
      let count = reader.integer(UInt32.self)
    else { throw ListIndexError(.damaged("the held subjects are unreadable")) }
    guard found == version else { throw ListIndexError(.newerVersion(found)) }
    var held: [Subject: ListedClass] = [:]
    for _ in 0..<count {
      guard let number = reader.integer(UInt8.self), let kind = Subject.Kind(rawValue: number),
        let first = reader.integer(UInt64.self), let second = reader.integer(UInt64.self),
        let subject = Subject(kind: kind, first: first, second: second)
      else { throw ListIndexError(.damaged("a held subject cannot be")) }
      held[subject] = try ClassCoding.readListed(&reader)
    }
    return held
  }
}

import Glibc

/// One file in a zip file, as its directory tells of it.
struct ZipMember: Sendable {
  let name: String
  let isStored: Bool
  let check: UInt32
  let packedBytes: Int
  let bytes: Int
  /// Where its own header stands.
  let headerOffset: Int

  /// Where its bytes begin, behind its own header: name and extra field may be longer there than
  /// in the directory. APPNOTE 4.3.7.
  func start(in descriptor: Int32) throws(RegistryFileError) -> Int {
    let header = try descriptor.bytes(30, at: headerOffset)
    guard header.count == 30, header.littleEndian(0, 4) == 0x0403_4B50 else {
      throw RegistryFileError(.damagedArchive)
    }
    return headerOffset + 30 + header.littleEndian(26, 2) + header.littleEndian(28, 2)
  }
}

/// The directory at the end of a zip file: PKWARE's APPNOTE.TXT 6.3, with its 64-bit fields. Made
/// up and mangled numbers end in ``RegistryFileError/Code/damagedArchive``.
struct ZipDirectory: Sendable {
  /// The last record, and the longest comment behind it. APPNOTE 4.3.16.
  private static let endBytes = 22
  private static let longestComment = 65_535

  private struct Extent {
    var records: Int
    var bytes: Int
    var offset: Int
  }

  private(set) var members: [ZipMember] = []

  init(_ descriptor: Int32, limits: FileLimits) throws(RegistryFileError) {
    var state = stat()
    guard fstat(descriptor, &state) == 0 else {
      throw RegistryFileError(.unreadable(errno: errno))
    }
    let extent = try Self.extent(descriptor, fileBytes: Int(state.st_size))
    guard extent.records <= limits.mostZipMembers, extent.bytes <= limits.mostZipDirectoryBytes
    else { throw RegistryFileError(.unsupportedZip(.tooManyMembers)) }
    let bytes = try descriptor.bytes(extent.bytes, at: extent.offset)
    guard bytes.count == extent.bytes else { throw RegistryFileError(.damagedArchive) }
    var place = 0
    for _ in 0..<extent.records {
      guard let record = Record(bytes, at: place) else { throw RegistryFileError(.damagedArchive) }
      place += record.byteCount
      if !record.isIgnored { members.append(try record.member()) }
    }
  }

  /// The only file, or the one whose name is that of the zip file.
  func member(for path: String) throws(RegistryFileError) -> ZipMember {
    if members.count == 1 { return members[0] }
    let wanted = Self.stem(of: path)
    let named = members.filter { Self.stem(of: $0.name) == wanted }
    guard named.count == 1 else {
      throw RegistryFileError(.zipMembers(count: members.count))
    }
    return named[0]
  }

  /// `stolen` of `lists/Stolen.csv`.
  private static func stem(of path: String) -> String {
    let name = path.split(separator: "/").last ?? ""
    return (name.lastIndex(of: ".").map { name[..<$0] } ?? name).lowercased()
  }

  private static func extent(
    _ descriptor: Int32, fileBytes: Int
  ) throws(RegistryFileError) -> Extent {
    let tailBytes = min(fileBytes, endBytes + longestComment)
    let tail = try descriptor.bytes(tailBytes, at: fileBytes - tailBytes)
    guard tail.count == tailBytes, tailBytes >= endBytes else {
      throw RegistryFileError(.damagedArchive)
    }
    var place = tailBytes - endBytes
    while place >= 0 {
      if tail.littleEndian(place, 4) == 0x0605_4B50,
        place + endBytes + tail.littleEndian(place + 20, 2) == tailBytes
      {
        return try extent(tail, at: place, tailOffset: fileBytes - tailBytes, descriptor)
      }
      place -= 1
    }
    throw RegistryFileError(.damagedArchive)
  }

  /// APPNOTE 4.3.16; where a field is full, 4.3.14 and 4.3.15.
  private static func extent(
    _ tail: [UInt8], at place: Int, tailOffset: Int, _ descriptor: Int32
  ) throws(RegistryFileError) -> Extent {
    let disks = (tail.littleEndian(place + 4, 2), tail.littleEndian(place + 6, 2))
    let extent = Extent(
      records: tail.littleEndian(place + 10, 2), bytes: tail.littleEndian(place + 12, 4),
      offset: tail.littleEndian(place + 16, 4))
    let isFull =
      extent.records == 0xFFFF || extent.bytes == 0xFFFF_FFFF || extent.offset == 0xFFFF_FFFF
    guard isFull else {
      guard disks == (0, 0) else { throw RegistryFileError(.unsupportedZip(.split)) }
      return extent
    }
    let locatorOffset = tailOffset + place - 20
    guard locatorOffset >= 0 else { throw RegistryFileError(.damagedArchive) }
    let locator = try descriptor.bytes(20, at: locatorOffset)
    guard locator.count == 20, locator.littleEndian(0, 4) == 0x0706_4B50 else {
      throw RegistryFileError(.damagedArchive)
    }
    let end = try descriptor.bytes(56, at: locator.littleEndian(8, 8))
    guard end.count == 56, end.littleEndian(0, 4) == 0x0606_4B50 else {
      throw RegistryFileError(.damagedArchive)
    }
    return Extent(
      records: end.littleEndian(32, 8), bytes: end.littleEndian(40, 8),
      offset: end.littleEndian(48, 8))
  }
}

extension ZipDirectory {
  /// One file header of the directory. APPNOTE 4.3.12.
  private struct Record {
    static let fixedBytes = 46

    let bytes: ArraySlice<UInt8>
    let byteCount: Int
    let name: String
    private let extra: ArraySlice<UInt8>

    init?(_ directory: [UInt8], at place: Int) {
      guard place + Self.fixedBytes <= directory.count else { return nil }
      let fixed = directory[place..<place + Self.fixedBytes]
      guard fixed.littleEndian(0, 4) == 0x0201_4B50 else { return nil }
      let lengths = [28, 30, 32].map { fixed.littleEndian($0, 2) }
      byteCount = Self.fixedBytes + lengths.reduce(0, +)
      guard place + byteCount <= directory.count else { return nil }
      bytes = fixed
      let nameStart = place + Self.fixedBytes
      name = String(decoding: directory[nameStart..<nameStart + lengths[0]], as: UTF8.self)
      let extraStart = nameStart + lengths[0]
      extra = directory[extraStart..<extraStart + lengths[1]]
    }

    /// Folders, and what a Mac adds to each file.
    var isIgnored: Bool { name.hasSuffix("/") || name.hasPrefix("__MACOSX/") }

    func member() throws(RegistryFileError) -> ZipMember {
      guard bytes.littleEndian(8, 2) & 1 == 0 else {
        throw RegistryFileError(.unsupportedZip(.encrypted))
      }
      let method = bytes.littleEndian(10, 2)
      guard method == 0 || method == 8 else {
        throw RegistryFileError(.unsupportedZip(.method))
      }
      let short = [24, 20, 42].map { bytes.littleEndian($0, 4) }
      let long = try longFields(count: short.count { $0 == 0xFFFF_FFFF })
      var taken = 0
      let sizes = short.map { size in
        guard size == 0xFFFF_FFFF else { return size }
        taken += 1
        return long[taken - 1]
      }
      return ZipMember(
        name: name, isStored: method == 0, check: UInt32(bytes.littleEndian(16, 4)),
        packedBytes: sizes[1], bytes: sizes[0], headerOffset: sizes[2])
    }

    /// The fields of eight bytes that stand in for those that are full, in their order: length,
    /// packed length, place. APPNOTE 4.5.3.
    private func longFields(count: Int) throws(RegistryFileError) -> [Int] {
      guard count > 0 else { return [] }
      var place = 0
      while place + 4 <= extra.count {
        let length = extra.littleEndian(place + 2, 2)
        guard place + 4 + length <= extra.count else { break }
        if extra.littleEndian(place, 2) == 1, length >= count * 8 {
          return (0..<count).map { extra.littleEndian(place + 4 + $0 * 8, 8) }
        }
        place += 4 + length
      }
      throw RegistryFileError(.damagedArchive)
    }
  }
}

extension RandomAccessCollection<UInt8> where Index == Int {
  /// A number of up to eight bytes, the lowest first; what is beyond Int becomes the largest one.
  fileprivate func littleEndian(_ offset: Int, _ count: Int) -> Int {
    var value: UInt64 = 0
    for place in 0..<count {
      value |= UInt64(self[startIndex + offset + place]) << UInt64(8 * place)
    }
    // Half of the range, so that a sum of two places is still one.
    return Int(Swift.min(value, UInt64(Int.max / 4)))
  }
}

import GZip
import Glibc

/// How the bytes of a file are packed, by its first bytes.
enum PackedForm: Sendable {
  case plain, gzip, zip

  private static let gzipStart: [UInt8] = [0x1F, 0x8B]
  /// A file, the end of an empty zip file, and one part of several. APPNOTE 4.3.7, 4.3.16, 8.5.3.
  private static let zipStarts: [[UInt8]] = [
    [0x50, 0x4B, 3, 4], [0x50, 0x4B, 5, 6], [0x50, 0x4B, 7, 8],
  ]

  static func of(_ descriptor: Int32) throws(RegistryFileError) -> PackedForm {
    var state = stat()
    guard fstat(descriptor, &state) == 0 else {
      throw RegistryFileError(.unreadable(errno: errno))
    }
    // A pipe cannot be looked at without being used up.
    guard state.st_mode & S_IFMT == S_IFREG else { return .plain }
    let bytes = try descriptor.bytes(4, at: 0)
    if bytes.starts(with: gzipStart) { return .gzip }
    return zipStarts.contains { bytes.starts(with: $0) } ? .zip : .plain
  }
}

/// Restores the bytes of a packed file as they are read. Memory: one piece.
///
/// Unchecked: the piece belongs to this one value, which cannot be copied.
struct Restorer: ~Copyable, @unchecked Sendable {
  static let pieceBytes = 131_072

  private enum Place {
    case inData, betweenMembers, ended
  }

  private let limits: FileLimits
  private let form: PackedForm
  private let isStored: Bool
  private var inflater: Inflater
  private let piece: UnsafeMutableRawBufferPointer
  private var used = 0
  private var filled = 0
  /// Packed bytes that are still to be read from the file.
  private var unread: Int
  private var packedBytes = 0
  private var restoredBytes = 0
  private var place = Place.inData
  private var check = CheckValue()
  /// What the directory of the zip file says of the restored bytes.
  private let promised: (check: UInt32, bytes: Int)?

  private init(_ inflater: consuming Inflater, member: ZipMember?, limits: FileLimits) {
    self.limits = limits
    self.inflater = inflater
    form = member == nil ? .gzip : .zip
    isStored = member?.isStored ?? false
    unread = member?.packedBytes ?? .max
    promised = member.map { ($0.check, $0.bytes) }
    piece = .allocate(byteCount: Self.pieceBytes, alignment: 16)
  }

  /// All members of a gzip file, one after the other.
  static func gzip(limits: FileLimits) throws(RegistryFileError) -> Restorer {
    Restorer(try inflater(.gzip), member: nil, limits: limits)
  }

  /// One file of a zip file, whose bytes come next from the descriptor.
  static func zip(_ member: ZipMember, limits: FileLimits) throws(RegistryFileError) -> Restorer {
    guard member.bytes <= limits.mostRestoredBytes else {
      throw RegistryFileError(.restoresTooMuch(limitBytes: limits.mostRestoredBytes))
    }
    return Restorer(try inflater(.raw), member: member, limits: limits)
  }

  deinit { piece.deallocate() }

  private static func inflater(_ form: Inflater.Form) throws(RegistryFileError) -> Inflater {
    do throws(GZipError) {
      return try Inflater(form)
    } catch {
      throw RegistryFileError(.unreadable(errno: ENOMEM))
    }
  }

  /// At least one byte unless the end is reached.
  mutating func read(
    into target: UnsafeMutableRawBufferPointer, from descriptor: Int32
  ) throws(RegistryFileError) -> Int {
    while place != .ended {
      if used == filled { try fill(from: descriptor) }
      if place == .betweenMembers {
        try enterMember()
        continue
      }
      let count = try isStored ? copy(into: target) : restore(into: target)
      try note(UnsafeRawBufferPointer(rebasing: target[..<count]))
      if count > 0 { return count }
    }
    return 0
  }

  private mutating func fill(from descriptor: Int32) throws(RegistryFileError) {
    let most = min(piece.count, unread)
    filled = try descriptor.readSome(into: UnsafeMutableRawBufferPointer(rebasing: piece[..<most]))
    used = 0
    unread -= filled
    packedBytes += filled
  }

  /// Behind a member of a gzip file: another, zeros with which a tape is filled, or the end.
  private mutating func enterMember() throws(RegistryFileError) {
    guard used < filled else {
      place = .ended
      return
    }
    if piece[used] == 0 {
      used += 1
      return
    }
    do throws(GZipError) { try inflater.restart() } catch {
      throw RegistryFileError(.damagedArchive)
    }
    place = .inData
  }

  private mutating func copy(
    into target: UnsafeMutableRawBufferPointer
  ) throws(RegistryFileError) -> Int {
    let count = min(target.count, filled - used)
    guard count > 0 || unread == 0 else { throw RegistryFileError(.damagedArchive) }
    target.copyMemory(from: UnsafeRawBufferPointer(rebasing: piece[used..<used + count]))
    used += count
    if used == filled, unread == 0 { place = .ended }
    return count
  }

  private mutating func restore(
    into target: UnsafeMutableRawBufferPointer
  ) throws(RegistryFileError) -> Int {
    let input = UnsafeRawBufferPointer(rebasing: piece[used..<filled])
    let step: Inflater.Step
    do throws(GZipError) {
      step = try inflater.restore(input, into: target)
    } catch {
      throw RegistryFileError(.damagedArchive)
    }
    used += step.bytesUsed
    if step.hasEnded {
      place = form == .gzip ? .betweenMembers : .ended
    } else if step.bytesMade == 0, input.isEmpty {
      throw RegistryFileError(.damagedArchive)
    }
    return step.bytesMade
  }

  /// Keeps the books of what was restored; at the end of a zip file's member holds it against what
  /// its directory says. That of gzip is held against its own check value by zlib.
  private mutating func note(_ bytes: UnsafeRawBufferPointer) throws(RegistryFileError) {
    restoredBytes += bytes.count
    guard restoredBytes <= limits.mostRestoredBytes else {
      throw RegistryFileError(.restoresTooMuch(limitBytes: limits.mostRestoredBytes))
    }
    let mostBytes = limits.freelyRestoredBytes + packedBytes * limits.mostExpansion
    guard restoredBytes <= mostBytes else {
      throw RegistryFileError(.expandsTooMuch(limit: limits.mostExpansion))
    }
    guard let promised else { return }
    check.append(bytes)
    guard restoredBytes <= promised.bytes else { throw RegistryFileError(.damagedArchive) }
    if place == .ended, (check.value, restoredBytes) != (promised.check, promised.bytes) {
      throw RegistryFileError(.damagedArchive)
    }
  }
}

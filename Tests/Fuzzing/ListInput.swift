import Crypto

/// The files of a list directory in one input.
///
/// `UInt16` bytes of the index, `UInt16` bytes of the log, `UInt32` place and `UInt16` number of
/// repetitions, `UInt8` options, `UInt8` nothing; then the index, the log and the held subjects.
/// Little-endian. The 64 bytes of the index before the place are repeated, so that a short input
/// makes the long block of a bitmap.
///
/// Checksums are made to fit, or no changed byte would ever be looked at: a damage that they find
/// is the business of other tests.
package struct ListInput {
  /// Leaves the checksums as they are.
  private static let keepsChecksums: UInt8 = 1
  private static let headerBytes = 12
  private static let lineBytes = 64
  /// Enough for the 2,084 lines of a bitmap.
  private static let mostRepetitions = 2_200
  private static let checksumBytes = 16

  package private(set) var index: [UInt8]
  package private(set) var log: [UInt8]
  package private(set) var held: [UInt8]

  package init?(_ input: [UInt8]) {
    guard input.count >= Self.headerBytes else { return nil }
    let (indexBytes, logBytes) = (Self.number(input, 0, 2), Self.number(input, 2, 2))
    var rest = input[Self.headerBytes...]
    index = Array(rest.prefix(indexBytes))
    rest = rest.dropFirst(indexBytes)
    log = Array(rest.prefix(logBytes))
    held = Array(rest.dropFirst(logBytes))
    repeatLine(before: Self.number(input, 4, 4), times: Self.number(input, 8, 2))
    if input[10] & Self.keepsChecksums == 0 { seal() }
  }

  /// The input that makes these files.
  package static func encoded(
    index: [UInt8], log: [UInt8] = [], held: [UInt8] = [], repeatsAt place: Int = 0,
    times: Int = 0
  ) -> [UInt8] {
    func bytes(_ number: Int, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
    return bytes(index.count, 2) + bytes(log.count, 2) + bytes(place, 4) + bytes(times, 2)
      + [0, 0] + index + log + held
  }

  private static func number(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int {
    bytes[start..<start + count].reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  private mutating func repeatLine(before place: Int, times: Int) {
    guard place >= Self.lineBytes, place <= index.count else { return }
    let line = Array(index[place - Self.lineBytes..<place])
    let all = (0..<min(times, Self.mostRepetitions)).flatMap { _ in line }
    index.insert(contentsOf: all, at: place)
  }

  // MARK: Checksums, by Schema/exchange/index.md and the layout of the log

  private mutating func seal() {
    if index.count >= 512 {
      Self.store(SHA256.hash(data: index[..<480]), at: 480, in: &index)
      let end = Self.number(index, 16, 7)
      if index[23] == 0, end >= 512, end <= index.count - 32 {
        Self.store(SHA256.hash(data: index[..<end]), at: end, in: &index)
      }
    }
    if log.count >= 56 {
      let hash = SHA256.hash(data: log[..<40]).prefix(Self.checksumBytes)
      Self.store(hash, at: 40, in: &log)
    }
    Self.sealRecords(of: &log, from: 56)
    Self.sealRecords(of: &held, from: 16)
    // The first version of the held subjects had one hash at its end.
    if held.count > 44, held[8] == 1 {
      let end = held.count - 32
      Self.store(SHA256.hash(data: held[..<end]), at: end, in: &held)
    }
  }

  /// Length, payload, checksum of both.
  private static func sealRecords(of file: inout [UInt8], from start: Int) {
    var start = start
    while start + 4 <= file.count {
      let end = start + 4 + number(file, start, 4)
      guard end + checksumBytes <= file.count else { return }
      store(SHA256.hash(data: file[start..<end]).prefix(checksumBytes), at: end, in: &file)
      start = end + checksumBytes
    }
  }

  private static func store(
    _ bytes: some Sequence<UInt8>, at place: Int, in file: inout [UInt8]
  ) {
    for (offset, byte) in bytes.enumerated() { file[place + offset] = byte }
  }
}

/// The numbers of the file format. Every integer in the file is little-endian. The whole format is
/// described in `Schema/exchange/index.md`.
package enum IndexLayout {
  package static let version: UInt32 = 1
  /// What follows the SHA-256 of a file: at most this many bytes.
  package static let longestTrailer = 65_536

  static let magic = Array("CEIRLIST".utf8)
  static let headerByteCount = 512
  static let headerHashOffset = 480
  static let hashByteCount = 32
  /// Offsets in the directory count units of this many bytes: a file has at most 32 GiB.
  static let blockAlignment = 8
  static let largestFile = UInt64(UInt32.max) * UInt64(blockAlignment)

  /// Says that there is no class; the largest class number is one less.
  static let noClass = UInt16.max
  static let emptySlot = UInt32.max
  static let slotByteCount = 16
  static let rangeByteCount = 24
  static let pairingByteCount = 24

  static let serialsPerTAC = 1_000_000
  /// `form` of a directory slot without a block; 8…20 is the width of a bucket in bits.
  static let formNone: UInt8 = 0
  static let formBitmap: UInt8 = 1
  static let bucketBits = 8...20
  /// A line of a bitmap: 4 bytes of rank, then bits.
  static let lineByteCount = 64
  static let serialsPerLine = 480
  static let linesPerBitmap = (serialsPerTAC + serialsPerLine - 1) / serialsPerLine

  static let indexBitsMask: UInt8 = 0x1F
  static let widestIndex = 16
  /// The class indices of a block are class numbers; it has no palette.
  static let flagDirect: UInt8 = 0x20
  /// The boundaries of the buckets have four bytes instead of two.
  static let flagWide: UInt8 = 0x40

  /// Of a kind. More than a file has bits, so that sums of counts cannot overflow.
  static let mostSubjects = largestFile * 8
  static let mostRanges = 4_000_000
  static let mostPairings = 1_000_000_000
  /// Look-ups read whole words and vectors: as many bytes may be read after the last block. The
  /// hash of the file lies there at least.
  static let overread = 32

  enum Section: Int, CaseIterable {
    case blocks, directory, ranges, segments, pairings, pairingSlots, classes

    static let tableOffset = 208
  }

  /// Where the search for a TAC starts in a directory of 2^bits slots.
  @inline(__always)
  static func slot(of tac: UInt32, shift: UInt32) -> Int {
    Int(truncatingIfNeeded: UInt64(tac &* 0x9E37_79B1) &>> UInt64(shift))
  }

  /// Where the search for the pairings of an IMEI starts in a table of 2^(64-shift) slots.
  @inline(__always)
  static func slot(ofIMEI imei: UInt64, shift: UInt64) -> Int {
    Int(truncatingIfNeeded: (imei &* 0x9E37_79B9_7F4A_7C15) &>> shift)
  }

  /// The bits that indices below `count` need.
  static func bits(for count: Int) -> Int {
    count <= 1 ? 0 : Int.bitWidth - (count - 1).leadingZeroBitCount
  }
}

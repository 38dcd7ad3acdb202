/// An entry of the directory: where the block of a TAC lies, its form, and the TAC's own class.
struct DirectorySlot {
  let tac: UInt32
  /// In bytes from the start of the file.
  let offset: Int
  let byteCount: Int
  let number: UInt16
  let form: UInt8
  private let packing: UInt8

  @inline(__always)
  init(_ pointer: UnsafeRawPointer) {
    let first = pointer.little(0, as: UInt64.self)
    let second = pointer.little(8, as: UInt64.self)
    tac = UInt32(truncatingIfNeeded: first)
    offset = Int(truncatingIfNeeded: first &>> 32) &* IndexLayout.blockAlignment
    byteCount = Int(truncatingIfNeeded: second & 0xFFFF_FFFF)
    number = UInt16(truncatingIfNeeded: second &>> 32)
    form = UInt8(truncatingIfNeeded: second &>> 48)
    packing = UInt8(truncatingIfNeeded: second &>> 56)
  }

  /// The bits of a class index.
  @inline(__always)
  var width: Int { Int(packing & IndexLayout.indexBitsMask) }

  @inline(__always)
  var isDirect: Bool { packing & IndexLayout.flagDirect != 0 }

  /// The bytes of a boundary, as a power of two.
  @inline(__always)
  var boundaryShift: Int { packing & IndexLayout.flagWide != 0 ? 2 : 1 }

  @inline(__always)
  var paletteByteCount: Int { isDirect ? 0 : 2 &<< width }

  /// The bytes before the entries of a bucketed block.
  @inline(__always)
  var bucketTableByteCount: Int {
    paletteByteCount &+ (IndexLayout.bucketCount(Int(form)) &+ 1) &<< boundaryShift
  }

  static let bitmapByteCount = IndexLayout.linesPerBitmap * IndexLayout.lineByteCount

  /// Whether the form is known and its tables fit into the block.
  var isSound: Bool {
    guard width <= IndexLayout.widestIndex, packing < 0x80 else { return false }
    switch form {
    case IndexLayout.formNone: return true
    case IndexLayout.formBitmap:
      return byteCount >= Self.bitmapByteCount + paletteByteCount
    case UInt8(IndexLayout.bucketBits.lowerBound)...UInt8(IndexLayout.bucketBits.upperBound):
      return byteCount >= bucketTableByteCount
    default: return false
    }
  }
}

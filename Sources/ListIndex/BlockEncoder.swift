/// Chooses the smallest form of the serials of one TAC and writes it.
/// `Schema/exchange/index.md`, Blocks.
struct BlockEncoder {
  struct Block {
    var form: UInt8
    var packing: UInt8
  }

  /// The bytes of the block that was encoded last.
  private(set) var bytes: [UInt8] = []
  private var palette: [UInt16] = []
  /// The place of a class number in the palette; ``absent`` where it is not there.
  private var places = [UInt16](repeating: absent, count: Int(UInt16.max) + 1)

  private static let absent = UInt16.max

  /// `serials` ascending, with the class number of each; neither empty.
  mutating func encode(serials: [UInt32], classes: [UInt16]) -> Block {
    bytes.removeAll(keepingCapacity: true)
    collectPalette(classes)
    defer { forgetPalette() }
    let count = serials.count
    let narrow = IndexLayout.bits(for: palette.count)
    let direct = IndexLayout.bits(for: Int(palette.max() ?? 0) + 1)
    let isDirect = direct * count / 8 <= narrow * count / 8 + (2 << narrow)
    let width = isDirect ? direct : narrow
    let (bucketBits, bucketed) = Self.bestBucketBits(count: count, width: width)
    let bitmap = IndexLayout.linesPerBitmap * IndexLayout.lineByteCount + count * width / 8
    var packing = UInt8(width) | (isDirect ? IndexLayout.flagDirect : 0)
    if bitmap < bucketed {
      appendBitmap(serials)
      if !isDirect { appendPalette(width) }
      appendIndices(classes, width: width, isDirect: isDirect)
      return Block(form: IndexLayout.formBitmap, packing: packing)
    }
    if !isDirect { appendPalette(width) }
    if appendBuckets(serials, classes, bits: bucketBits, width: width, isDirect: isDirect) {
      packing |= IndexLayout.flagWide
    }
    return Block(form: UInt8(bucketBits), packing: packing)
  }

  private mutating func collectPalette(_ classes: [UInt16]) {
    for number in classes where places[Int(number)] == Self.absent {
      places[Int(number)] = UInt16(palette.count)
      palette.append(number)
    }
  }

  private mutating func forgetPalette() {
    for number in palette { places[Int(number)] = Self.absent }
    palette.removeAll(keepingCapacity: true)
  }

  /// All 2^width places, so that no index can lie outside; those beyond the last class are none.
  private mutating func appendPalette(_ width: Int) {
    for number in palette { bytes.append(little: number) }
    for _ in palette.count..<(1 << width) { bytes.append(little: IndexLayout.noClass) }
  }

  /// A bucket costs a boundary; each bit fewer in a bucket saves a bit per entry.
  private static func bestBucketBits(count: Int, width: Int) -> (bits: Int, byteCount: Int) {
    var best = (bits: 8, byteCount: Int.max)
    for bits in IndexLayout.bucketBits {
      let buckets = IndexLayout.bucketCount(bits)
      let restBits = bits - 8 + width
      let rounding = restBits == 0 ? 0 : min(count, buckets) * 7 / 16
      let content = count + count * restBits / 8 + rounding
      let total = content + (buckets + 1) * (content > Int(UInt16.max) ? 4 : 2)
      if total < best.byteCount { best = (bits, total) }
    }
    return best
  }

  /// Returns whether the boundaries have four bytes.
  private mutating func appendBuckets(
    _ serials: [UInt32], _ classes: [UInt16], bits: Int, width: Int, isDirect: Bool
  ) -> Bool {
    let buckets = IndexLayout.bucketCount(bits)
    let restBits = bits - 8 + width
    let highMask = UInt64(1) << UInt64(bits) - 1
    var content: [UInt8] = []
    var boundaries: [Int] = []
    boundaries.reserveCapacity(buckets + 1)
    var next = 0
    for bucket in 0..<buckets {
      boundaries.append(content.count)
      let first = next
      while next < serials.count, Int(serials[next]) >> bits == bucket {
        content.append(UInt8(truncatingIfNeeded: serials[next]))
        next += 1
      }
      var packer = BitPacker()
      for place in first..<next {
        let high = (UInt64(serials[place]) & highMask) >> 8
        let index = UInt64(isDirect ? classes[place] : places[Int(classes[place])])
        packer.append(high | index << UInt64(bits - 8), bits: restBits, to: &content)
      }
      packer.flush(to: &content)
    }
    boundaries.append(content.count)
    let isWide = content.count > Int(UInt16.max)
    for boundary in boundaries {
      if isWide {
        bytes.append(little: UInt32(boundary))
      } else {
        bytes.append(little: UInt16(boundary))
      }
    }
    bytes += content
    return isWide
  }

  private mutating func appendBitmap(_ serials: [UInt32]) {
    var next = 0
    for line in 0..<IndexLayout.linesPerBitmap {
      let end = UInt32((line + 1) * IndexLayout.serialsPerLine)
      bytes.append(little: UInt32(next))
      let start = bytes.count
      bytes += [UInt8](repeating: 0, count: IndexLayout.lineByteCount - 4)
      while next < serials.count, serials[next] < end {
        let bit = Int(serials[next]) - line * IndexLayout.serialsPerLine
        bytes[start + bit >> 3] |= 1 << UInt8(bit & 7)
        next += 1
      }
    }
  }

  private mutating func appendIndices(_ classes: [UInt16], width: Int, isDirect: Bool) {
    var packer = BitPacker()
    for number in classes {
      let index = UInt64(isDirect ? number : places[Int(number)])
      packer.append(index, bits: width, to: &bytes)
    }
    packer.flush(to: &bytes)
  }
}

extension IndexLayout {
  /// The buckets of 2^bits serials that a TAC has.
  @inline(__always)
  static func bucketCount(_ bits: Int) -> Int { ((serialsPerTAC - 1) >> bits) + 1 }
}

/// Puts numbers of any width one after another, the least significant bit first.
struct BitPacker {
  private var pending: UInt64 = 0
  private var pendingBits = 0

  /// `value` is below 2^bits; `bits` at most 32.
  mutating func append(_ value: UInt64, bits: Int, to bytes: inout [UInt8]) {
    pending |= value << UInt64(pendingBits)
    pendingBits += bits
    while pendingBits >= 8 {
      bytes.append(UInt8(truncatingIfNeeded: pending))
      pending >>= 8
      pendingBits -= 8
    }
  }

  mutating func flush(to bytes: inout [UInt8]) {
    if pendingBits > 0 { bytes.append(UInt8(truncatingIfNeeded: pending)) }
    pending = 0
    pendingBits = 0
  }
}

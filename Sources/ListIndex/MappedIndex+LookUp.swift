/// Look-ups answer with a class number of this file, or ``IndexLayout/noClass``. They take no lock,
/// allocate nothing and count no references: each keeps this, and with it the mapping, alive to
/// its end.
extension MappedIndex {
  /// Below it a bucket is compared whole, 16 entries at a time; above it is halved.
  private static var scannedEntries: Int { 64 }

  @inline(__always)
  func classNumber(ofIMEI imei: UInt64) -> UInt16 {
    defer { withExtendedLifetime(self) {} }
    let tac = UInt32(truncatingIfNeeded: imei / UInt64(IndexLayout.serialsPerTAC))
    let serial = Int(imei &- UInt64(tac) &* UInt64(IndexLayout.serialsPerTAC))
    guard let slot = slot(of: tac) else { return IndexLayout.noClass }
    if slot.form >= 8 { return find(serial, inBuckets: slot) }
    if slot.form == IndexLayout.formBitmap { return find(serial, inBitmap: slot) }
    return IndexLayout.noClass
  }

  @inline(__always)
  func classNumber(ofTAC tac: UInt32) -> UInt16 {
    defer { withExtendedLifetime(self) {} }
    return slot(of: tac)?.number ?? IndexLayout.noClass
  }

  /// Ends at the latest at an empty slot, of which there is one.
  @inline(__always)
  private func slot(of tac: UInt32) -> DirectorySlot? {
    var place = IndexLayout.slot(of: tac, shift: slotShift)
    while true {
      let pointer = directory + place &* IndexLayout.slotByteCount
      let found = pointer.little(0, as: UInt32.self)
      if found == tac { return DirectorySlot(pointer) }
      if found == IndexLayout.emptySlot { return nil }
      place = (place &+ 1) & (slotCount &- 1)
    }
  }

  @inline(__always)
  private func find(_ serial: Int, inBuckets slot: DirectorySlot) -> UInt16 {
    guard let bucket = Bucket(base + slot.offset, slot, at: serial &>> Int(slot.form)) else {
      return IndexLayout.noClass
    }
    let highBits = Int(slot.form) &- 8
    let low = UInt8(truncatingIfNeeded: serial)
    let high = UInt64(truncatingIfNeeded: serial &>> 8) & (1 &<< UInt64(highBits) &- 1)
    if bucket.count > Self.scannedEntries {
      return halve(bucket, slot, high: high, low: low)
    }
    let wanted = SIMD16<UInt8>(repeating: low)
    var place = 0
    while place < bucket.count {
      let vector = (bucket.lows + place).loadUnaligned(as: SIMD16<UInt8>.self)
      let equal = unsafeBitCast(vector .== wanted, to: SIMD2<UInt64>.self)
      for half in 0..<2 {
        var candidates = equal[half]
        while candidates != 0 {
          let lane = candidates.trailingZeroBitCount &>> 3
          let entry = place &+ half &* 8 &+ lane
          if entry >= bucket.count { return IndexLayout.noClass }
          let rest = bucket.rest(entry)
          if rest & (1 &<< UInt64(highBits) &- 1) == high {
            return classNumber(rest &>> UInt64(highBits), base + slot.offset, slot)
          }
          candidates &= ~(0xFF &<< UInt64(lane &* 8))
        }
      }
      place = place &+ 16
    }
    return IndexLayout.noClass
  }

  /// Entries of a bucket ascend.
  @inline(never)
  private func halve(
    _ bucket: Bucket, _ slot: DirectorySlot, high: UInt64, low: UInt8
  ) -> UInt16 {
    let highBits = UInt64(slot.form) &- 8
    let mask = UInt64(1) &<< highBits &- 1
    let wanted = high &<< 8 | UInt64(low)
    var first = 0
    var count = bucket.count
    while count > 0 {
      let half = count &>> 1
      let entry = first &+ half
      let rest = bucket.rest(entry)
      let found = (rest & mask) &<< 8 | UInt64(bucket.lows.little(entry, as: UInt8.self))
      if found == wanted {
        return classNumber(rest &>> highBits, base + slot.offset, slot)
      }
      if found < wanted {
        first = entry &+ 1
        count = count &- half &- 1
      } else {
        count = half
      }
    }
    return IndexLayout.noClass
  }

  @inline(__always)
  private func find(_ serial: Int, inBitmap slot: DirectorySlot) -> UInt16 {
    let (line, bit) = serial.quotientAndRemainder(dividingBy: IndexLayout.serialsPerLine)
    let start = base + slot.offset + line &* IndexLayout.lineByteCount
    let bits = start + 4
    guard bits.little(bit &>> 3, as: UInt8.self) &>> UInt8(bit & 7) & 1 == 1 else {
      return IndexLayout.noClass
    }
    var rank = Int(start.little(0, as: UInt32.self))
    for word in 0..<(bit &>> 6) {
      rank = rank &+ bits.little(word &* 8, as: UInt64.self).nonzeroBitCount
    }
    // The last word of a line would reach four bytes beyond it: those before are loaded instead.
    let below = Bitmap.word(bits, bit &>> 6) & ((1 &<< UInt64(bit & 63)) &- 1)
    return bitmapClass(rank: rank &+ below.nonzeroBitCount, slot)
  }

  @inline(__always)
  func bitmapClass(rank: Int, _ slot: DirectorySlot) -> UInt16 {
    let palette = base + slot.offset + DirectorySlot.bitmapByteCount
    let bit = rank &* slot.width
    let offset = DirectorySlot.bitmapByteCount &+ slot.paletteByteCount &+ bit &>> 3
    guard offset <= slot.byteCount else { return IndexLayout.noClass }
    let word = (base + slot.offset).little(offset, as: UInt32.self)
    let index = word &>> UInt32(bit & 7) & (1 &<< UInt32(slot.width) &- 1)
    return classNumber(UInt64(index), palette, slot)
  }

  @inline(__always)
  func classNumber(
    _ index: UInt64, _ palette: UnsafeRawPointer, _ slot: DirectorySlot
  ) -> UInt16 {
    slot.isDirect
      ? UInt16(truncatingIfNeeded: index)
      : palette.little(Int(truncatingIfNeeded: index) &* 2, as: UInt16.self)
  }

  func classNumber(ofRangeAt imei: UInt64) -> UInt16 {
    defer { withExtendedLifetime(self) {} }
    var first = 0
    var count = segmentCount
    while count > 0 {
      let half = count &>> 1
      let start = segments.little((first &+ half) &* 8, as: UInt64.self)
      if start <= imei {
        first = first &+ half &+ 1
        count = count &- half &- 1
      } else {
        count = half
      }
    }
    guard first > 0 else { return IndexLayout.noClass }
    return segments.little(segmentCount &* 8 &+ (first &- 1) &* 2, as: UInt16.self)
  }

  /// The index of the first pairing of an IMEI.
  func firstPairing(of imei: UInt64) -> Int? {
    defer { withExtendedLifetime(self) {} }
    guard pairingSlotCount > 0 else { return nil }
    var place = IndexLayout.slot(ofIMEI: imei, shift: pairingShift)
    for _ in 0..<pairingSlotCount {
      let index = Int(pairingSlots.little(place &* 4, as: UInt32.self))
      guard index < pairingCount else { return nil }
      if pairing(index).imei == imei { return index }
      place = (place &+ 1) & (pairingSlotCount &- 1)
    }
    return nil
  }

  @inline(__always)
  func pairing(_ index: Int) -> (imei: UInt64, imsi: UInt64, number: UInt16) {
    defer { withExtendedLifetime(self) {} }
    let record = pairings + index &* IndexLayout.pairingByteCount
    return (
      record.little(0, as: UInt64.self), record.little(8, as: UInt64.self),
      record.little(16, as: UInt16.self)
    )
  }

  func classNumber(ofPairing imei: UInt64, _ imsi: UInt64) -> UInt16 {
    guard var index = firstPairing(of: imei) else { return IndexLayout.noClass }
    while index < pairingCount {
      let found = pairing(index)
      guard found.imei == imei, found.imsi <= imsi else { break }
      if found.imsi == imsi { return found.number }
      index += 1
    }
    return IndexLayout.noClass
  }
}

/// The entries of consecutive serials in a bucketed block: a byte of each, then the remaining bits.
struct Bucket {
  let lows: UnsafeRawPointer
  let count: Int
  private let restBits: Int

  /// Nil where the boundaries lie outside the block.
  @inline(__always)
  init?(_ block: UnsafeRawPointer, _ slot: DirectorySlot, at bucket: Int) {
    let table = block + slot.paletteByteCount
    let start: Int
    let end: Int
    if slot.boundaryShift == 1 {
      let pair = table.little(bucket &* 2, as: UInt32.self)
      start = Int(pair & 0xFFFF)
      end = Int(pair &>> 16)
    } else {
      let pair = table.little(bucket &* 4, as: UInt64.self)
      start = Int(pair & 0xFFFF_FFFF)
      end = Int(pair &>> 32)
    }
    let tables = slot.bucketTableByteCount
    guard start <= end, end <= slot.byteCount &- tables else { return nil }
    restBits = slot.width &+ Int(slot.form) &- 8
    lows = block + (tables &+ start)
    count = Int(UInt32(truncatingIfNeeded: (end &- start) &* 8) / UInt32(8 &+ restBits))
  }

  /// High bits of the serial below, class index above. At most 28 bits, so that a load of eight
  /// bytes has them all.
  @inline(__always)
  func rest(_ entry: Int) -> UInt64 {
    let bit = entry &* restBits
    let word = lows.little(count &+ bit &>> 3, as: UInt64.self)
    return word &>> UInt64(bit & 7) & (1 &<< UInt64(restBits) &- 1)
  }
}

enum Bitmap {
  /// Word 0…7 of the 480 bits of a line; the last has 32 bits.
  @inline(__always)
  static func word(_ bits: UnsafeRawPointer, _ index: Int) -> UInt64 {
    index == 7
      ? UInt64(bits.little(56, as: UInt32.self)) : bits.little(index &* 8, as: UInt64.self)
  }
}

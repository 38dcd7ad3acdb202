internal import DeviceLists

/// An entry by numbers: keys as in ``Subject/keys``, and a class number.
struct NumberedEntry {
  var kind: Subject.Kind
  var first: UInt64
  var second: UInt64
  var number: UInt16

  @inline(__always)
  func precedes(_ other: NumberedEntry) -> Bool {
    (kind.rawValue, first, second) < (other.kind.rawValue, other.first, other.second)
  }

  @inline(__always)
  func hasKeys(of other: NumberedEntry) -> Bool {
    kind == other.kind && first == other.first && second == other.second
  }
}

/// The entries of a file in order, one block in memory at a time.
struct MappedEntries {
  private let index: MappedIndex
  private let includesRanges: Bool
  /// TAC and place in the directory, ascending.
  private var slots: [UInt64] = []
  private var nextSlot = 0
  /// Serial and class number of the entries of a block.
  private var block: [UInt64] = []
  private var nextInBlock = 0
  private var firstOfTAC: UInt64 = 0
  private var nextRange = 0
  private var nextTAC = 0
  private var nextPairing = 0

  init(_ index: MappedIndex, includesRanges: Bool) {
    self.index = index
    self.includesRanges = includesRanges
    for place in 0..<index.slotCount {
      let slot = index.slot(at: place)
      guard slot.tac != IndexLayout.emptySlot else { continue }
      slots.append(UInt64(slot.tac) << 32 | UInt64(place))
    }
    slots.sort()
  }

  mutating func next() -> NumberedEntry? {
    if let entry = nextIMEI() { return entry }
    if includesRanges, nextRange < index.rangeCount {
      defer { nextRange += 1 }
      let item = index.range(nextRange)
      return NumberedEntry(
        kind: .range, first: item.first, second: item.last, number: item.number)
    }
    while nextTAC < slots.count {
      defer { nextTAC += 1 }
      let slot = index.slot(at: Int(slots[nextTAC] & 0xFFFF_FFFF))
      if slot.number == IndexLayout.noClass { continue }
      return NumberedEntry(kind: .tac, first: UInt64(slot.tac), second: 0, number: slot.number)
    }
    guard nextPairing < index.pairingCount else { return nil }
    defer { nextPairing += 1 }
    let pairing = index.pairing(nextPairing)
    return NumberedEntry(
      kind: .pairing, first: pairing.imei, second: pairing.imsi, number: pairing.number)
  }

  @inline(__always)
  private mutating func nextIMEI() -> NumberedEntry? {
    while nextInBlock == block.count {
      guard nextSlot < slots.count else { return nil }
      let slot = index.slot(at: Int(slots[nextSlot] & 0xFFFF_FFFF))
      nextSlot += 1
      firstOfTAC = UInt64(slot.tac) * UInt64(IndexLayout.serialsPerTAC)
      nextInBlock = 0
      index.decode(slot, into: &block)
    }
    let packed = block[nextInBlock]
    nextInBlock += 1
    return NumberedEntry(
      kind: .imei, first: firstOfTAC + packed >> 16, second: 0,
      number: UInt16(truncatingIfNeeded: packed))
  }
}

extension MappedIndex {
  func slot(at place: Int) -> DirectorySlot {
    defer { withExtendedLifetime(self) {} }
    return DirectorySlot(directory + place * IndexLayout.slotByteCount)
  }

  func range(_ index: Int) -> RangeTable.Item {
    defer { withExtendedLifetime(self) {} }
    let record = ranges + index * IndexLayout.rangeByteCount
    return RangeTable.Item(
      first: record.little(0, as: UInt64.self), last: record.little(8, as: UInt64.self),
      number: record.little(16, as: UInt16.self))
  }

  /// The class number of a range that is listed as it is.
  func classNumber(ofRange first: UInt64, _ last: UInt64) -> UInt16 {
    var low = 0
    var high = rangeCount
    while low < high {
      let middle = (low + high) / 2
      let found = range(middle)
      if (found.first, found.last) == (first, last) { return found.number }
      if (found.first, found.last) < (first, last) { low = middle + 1 } else { high = middle }
    }
    return IndexLayout.noClass
  }

  /// Serial × 65536 + class number of each entry of a block. What cannot be is left out.
  func decode(_ slot: DirectorySlot, into entries: inout [UInt64]) {
    defer { withExtendedLifetime(self) {} }
    entries.removeAll(keepingCapacity: true)
    switch slot.form {
    case IndexLayout.formNone: return
    case IndexLayout.formBitmap: decodeBitmap(slot, into: &entries)
    default: decodeBuckets(slot, into: &entries)
    }
  }

  private func decodeBuckets(_ slot: DirectorySlot, into entries: inout [UInt64]) {
    let bits = Int(slot.form)
    let highBits = UInt64(bits - 8)
    for place in 0..<IndexLayout.bucketCount(bits) {
      guard let bucket = Bucket(base + slot.offset, slot, at: place) else { continue }
      for entry in 0..<bucket.count {
        let rest = bucket.rest(entry)
        let high = UInt64(place) << highBits | rest & (1 << highBits - 1)
        let serial = high << 8 | UInt64(bucket.lows.little(entry, as: UInt8.self))
        guard serial < UInt64(IndexLayout.serialsPerTAC) else { continue }
        let number = classNumber(rest >> highBits, base + slot.offset, slot)
        entries.append(serial << 16 | UInt64(number))
      }
    }
  }

  private func decodeBitmap(_ slot: DirectorySlot, into entries: inout [UInt64]) {
    var rank = 0
    for line in 0..<IndexLayout.linesPerBitmap {
      let bits = base + slot.offset + line * IndexLayout.lineByteCount + 4
      for index in 0..<8 {
        var word = Bitmap.word(bits, index)
        while word != 0 {
          let bit = index * 64 + word.trailingZeroBitCount
          word &= word - 1
          let serial = UInt64(line * IndexLayout.serialsPerLine + bit)
          guard serial < UInt64(IndexLayout.serialsPerTAC) else { return }
          entries.append(serial << 16 | UInt64(bitmapClass(rank: rank, slot)))
          rank += 1
        }
      }
    }
  }
}

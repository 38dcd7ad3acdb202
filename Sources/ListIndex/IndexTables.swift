internal import DeviceLists

/// What a writer gathers until the blocks are written: the tables behind them.
struct IndexTables {
  struct Slot {
    var tac: UInt32
    var offset: UInt32 = 0
    var byteCount: UInt32 = 0
    var number = IndexLayout.noClass
    var form = IndexLayout.formNone
    var packing: UInt8 = 0
  }

  /// One for each TAC that has a block, ascending.
  var slots: [Slot] = []
  /// TACs that are listed themselves, ascending.
  var tacs: [(tac: UInt32, number: UInt16)] = []
  var ranges: [RangeTable.Item] = []
  /// Each IMEI that has pairings, with the index of the first.
  var pairedIMEIs: [(imei: UInt64, index: UInt32)] = []

  /// A hash table at most half full: searched where it lies.
  func directory() -> [UInt8] {
    let all = mergedSlots()
    let bits = max(1, IndexLayout.bits(for: all.count * 2))
    let capacity = 1 << bits
    var places = [Int32](repeating: -1, count: capacity)
    for (index, slot) in all.enumerated() {
      var place = IndexLayout.slot(of: slot.tac, shift: UInt32(32 - bits))
      while places[place] >= 0 { place = (place + 1) & (capacity - 1) }
      places[place] = Int32(index)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(capacity * IndexLayout.slotByteCount)
    for place in places {
      let slot = place < 0 ? Slot(tac: IndexLayout.emptySlot) : all[Int(place)]
      bytes.append(little: slot.tac)
      bytes.append(little: slot.offset)
      bytes.append(little: slot.byteCount)
      bytes.append(little: slot.number)
      bytes.append(slot.form)
      bytes.append(slot.packing)
    }
    return bytes
  }

  private func mergedSlots() -> [Slot] {
    var merged: [Slot] = []
    merged.reserveCapacity(slots.count + tacs.count)
    var next = 0
    for slot in slots {
      while next < tacs.count, tacs[next].tac < slot.tac {
        merged.append(Slot(tac: tacs[next].tac, number: tacs[next].number))
        next += 1
      }
      merged.append(slot)
      if next < tacs.count, tacs[next].tac == slot.tac {
        merged[merged.count - 1].number = tacs[next].number
        next += 1
      }
    }
    for rest in tacs[next...] { merged.append(Slot(tac: rest.tac, number: rest.number)) }
    return merged
  }

  /// Empty where there are no pairings, else a hash table at most half full.
  func pairingSlots() -> [UInt8] {
    guard !pairedIMEIs.isEmpty else { return [] }
    let bits = IndexLayout.bits(for: pairedIMEIs.count * 2)
    let capacity = 1 << bits
    var places = [UInt32](repeating: IndexLayout.emptySlot, count: capacity)
    for (imei, index) in pairedIMEIs {
      var place = IndexLayout.slot(ofIMEI: imei, shift: UInt64(64 - bits))
      while places[place] != IndexLayout.emptySlot { place = (place + 1) & (capacity - 1) }
      places[place] = index
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(capacity * 4)
    for place in places { bytes.append(little: place) }
    return bytes
  }

  static func bytes(of ranges: [RangeTable.Item]) -> [UInt8] {
    var bytes: [UInt8] = []
    for range in ranges {
      bytes.append(little: range.first)
      bytes.append(little: range.last)
      bytes.append(little: UInt64(range.number))
    }
    return bytes
  }

  /// All starts, then all class numbers.
  static func bytes(of segments: [RangeTable.Segment]) -> [UInt8] {
    var bytes: [UInt8] = []
    for segment in segments { bytes.append(little: segment.start) }
    for segment in segments { bytes.append(little: segment.number) }
    return bytes
  }

  static func bytes(of classes: [ListedClass]) -> [UInt8] {
    var bytes: [UInt8] = []
    for listed in classes { ClassCoding.append(listed, to: &bytes) }
    return bytes
  }
}

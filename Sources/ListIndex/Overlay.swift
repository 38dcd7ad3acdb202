internal import HashTreeCollections

/// What differs from the mapped file: class numbers, or ``IndexLayout/noClass`` for a subject that
/// left the list. A copy shares what it does not change.
struct Overlay: Sendable {
  struct Paired: Sendable {
    var imsi: UInt64
    var number: UInt16
  }

  var imeis = TreeDictionary<UInt64, UInt16>()
  var tacs = TreeDictionary<UInt32, UInt16>()
  /// By IMEI; those of an IMEI ascend by IMSI.
  var pairings = TreeDictionary<UInt64, [Paired]>()
  private(set) var pairingCount = 0
  /// All ranges of the list, once one has changed.
  var ranges: RangeTable?
  var changedRanges = 0

  var count: Int { imeis.count + tacs.count + pairingCount + changedRanges }

  func pairing(_ imei: UInt64, _ imsi: UInt64) -> UInt16? {
    guard let all = pairings[imei] else { return nil }
    let place = Self.place(of: imsi, in: all)
    return place < all.count && all[place].imsi == imsi ? all[place].number : nil
  }

  mutating func setPairing(_ imei: UInt64, _ imsi: UInt64, _ number: UInt16) {
    var added = 0
    pairings[imei, default: []].set(imsi, number, &added)
    pairingCount += added
  }

  fileprivate static func place(of imsi: UInt64, in all: [Paired]) -> Int {
    var low = 0
    var high = all.count
    while low < high {
      let middle = (low + high) / 2
      if all[middle].imsi < imsi { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension [Overlay.Paired] {
  fileprivate mutating func set(_ imsi: UInt64, _ number: UInt16, _ added: inout Int) {
    let place = Overlay.place(of: imsi, in: self)
    if place < count, self[place].imsi == imsi {
      self[place].number = number
    } else {
      insert(Overlay.Paired(imsi: imsi, number: number), at: place)
      added = 1
    }
  }
}

internal import DeviceIdentity
internal import DeviceLists

/// Subjects whose answers stay as they were while the list moves on: the brake.
final class HeldAnswers: Sendable {
  let subjects: [Subject: ListedClass]
  let imeis: [UInt64: EntryClass?]
  let tacs: [UInt32: EntryClass?]
  /// By IMEI, then packed IMSI.
  let pairings: [UInt64: [UInt64: EntryClass?]]
  let ranges: [IMEIRange: ListedClass]

  init?(_ subjects: [Subject: ListedClass]) {
    guard !subjects.isEmpty else { return nil }
    self.subjects = subjects
    var imeis: [UInt64: EntryClass?] = [:]
    var tacs: [UInt32: EntryClass?] = [:]
    var pairings: [UInt64: [UInt64: EntryClass?]] = [:]
    var ranges: [IMEIRange: ListedClass] = [:]
    for (subject, listed) in subjects {
      switch subject {
      case .imei(let imei): imeis.updateValue(listed.effective, forKey: imei.number)
      case .tac(let tac): tacs.updateValue(listed.effective, forKey: tac.number)
      case .range(let range): ranges[range] = listed
      case .pairing(let pairing):
        pairings[pairing.imei.number, default: [:]]
          .updateValue(listed.effective, forKey: pairing.imsi.packed)
      }
    }
    self.imeis = imeis
    self.tacs = tacs
    self.pairings = pairings
    self.ranges = ranges
  }
}

/// The ranges that answers are given by while some are held.
final class AnsweringRanges: Sendable {
  let table: RangeTable
  let classes: ClassTable

  init(
    _ items: [RangeTable.Item], held: [IMEIRange: ListedClass], classes: ClassTable
  ) throws(ListIndexError) {
    var numbering = ClassNumbering(classes)
    var kept = items.filter { item in
      guard let range = IMEIRange(first: item.first, last: item.last) else { return true }
      return held[range] == nil
    }
    for (range, listed) in held where !listed.isEmpty {
      kept.append(
        RangeTable.Item(
          first: range.first.number, last: range.last.number,
          number: try numbering.number(of: listed)))
    }
    kept.sort { ($0.first, $0.last) < ($1.first, $1.last) }
    table = try RangeTable(items: kept, numbering: &numbering)
    self.classes = ClassTable(numbering)
  }
}

extension IMEIRange {
  fileprivate init?(first: UInt64, last: UInt64) {
    guard let first = IMEI(number: first), let last = IMEI(number: last) else { return nil }
    self.init(first: first, last: last)
  }
}

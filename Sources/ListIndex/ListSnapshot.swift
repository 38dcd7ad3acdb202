package import DeviceIdentity
package import DeviceLists
internal import HashTreeCollections

/// A list at one position. It never changes: all look-ups of a decision see the same list.
///
/// Look-ups take no lock and, while nothing is held, allocate nothing.
package final class ListSnapshot: DeviceList, Sendable {
  package let indexHead: IndexHead
  package let head: ListHead
  /// Subjects on the list; held ones count as the list has them.
  package let counts: SubjectCounts
  /// Subjects that differ from the file.
  package let overlayCount: Int

  let index: MappedIndex
  let classes: ClassTable
  let overlay: Overlay
  /// Nil where nothing is held.
  let heldAnswers: HeldAnswers?
  let answeringRanges: AnsweringRanges?
  private let hasOverlay: Bool

  init(
    index: MappedIndex, head: IndexHead, counts: SubjectCounts, classes: ClassTable,
    overlay: Overlay, held: HeldAnswers?, answeringRanges: AnsweringRanges?
  ) {
    self.index = index
    indexHead = head
    self.head = head.listHead
    self.counts = counts
    self.classes = classes
    self.overlay = overlay
    overlayCount = overlay.count
    hasOverlay = !overlay.imeis.isEmpty
    heldAnswers = held?.isEmpty == true ? nil : held
    self.answeringRanges = answeringRanges
  }

  /// A file by itself, without a directory that keeps it.
  ///
  /// - Parameter verify: whether to read the whole file and compare its SHA-256.
  package convenience init(file path: String, verify: Bool) throws(ListIndexError) {
    try self.init(index: MappedIndex(path: path, verify: verify), held: nil)
  }

  convenience init(index: MappedIndex, held: HeldAnswers?) throws(ListIndexError) {
    var answering: AnsweringRanges?
    if let held, !held.ranges.isEmpty {
      answering = try AnsweringRanges(
        index.allRanges, held: held.ranges, classes: index.classes)
    }
    self.init(
      index: index, head: index.header.head, counts: index.header.counts,
      classes: index.classes, overlay: Overlay(), held: held, answeringRanges: answering)
  }

  /// The same list with another head or other held subjects.
  func with(head: IndexHead) -> ListSnapshot {
    ListSnapshot(
      index: index, head: head, counts: counts, classes: classes, overlay: overlay,
      held: heldAnswers, answeringRanges: answeringRanges)
  }

  func with(held: HeldAnswers?) throws(ListIndexError) -> ListSnapshot {
    var answering: AnsweringRanges?
    if let held, !held.ranges.isEmpty {
      answering = try AnsweringRanges(rangeItems, held: held.ranges, classes: classes)
    }
    return ListSnapshot(
      index: index, head: indexHead, counts: counts, classes: classes, overlay: overlay,
      held: held, answeringRanges: answering)
  }

  /// Subjects that answer as before.
  package var held: HeldAnswers { heldAnswers ?? HeldAnswers() }

  var rangeItems: [RangeTable.Item] { overlay.ranges?.items ?? index.allRanges }

  // MARK: Answers

  package func entry(of imei: IMEI) -> EntryClass? {
    if let heldAnswers, let item = heldAnswers.imeis[imei.number] {
      return heldAnswers.answer(item)
    }
    return classes.answer(classNumber(ofIMEI: imei.number))
  }

  package func entry(of tac: TAC) -> EntryClass? {
    if let heldAnswers, let item = heldAnswers.tacs[tac.number] {
      return heldAnswers.answer(item)
    }
    return classes.answer(classNumber(ofTAC: tac.number))
  }

  package func entry(of pairing: Pairing) -> EntryClass? {
    let (imei, imsi) = (pairing.imei.number, pairing.imsi.packed)
    if let heldAnswers, let item = heldAnswers.pairings[imei]?[imsi] {
      return heldAnswers.answer(item)
    }
    return classes.answer(classNumber(ofPairing: imei, imsi))
  }

  package func rangeEntry(containing imei: IMEI) -> EntryClass? {
    if let answeringRanges {
      return answeringRanges.classes.answer(answeringRanges.table.classNumber(at: imei.number))
    }
    if let ranges = overlay.ranges {
      return classes.answer(ranges.classNumber(at: imei.number))
    }
    return classes.answer(index.classNumber(ofRangeAt: imei.number))
  }

  package func hasException(_ imei: IMEI) -> Bool {
    let held = heldAnswers?.pairings[imei.number]
    if let heldAnswers, let held,
      held.values.contains(where: { heldAnswers.answer($0)?.status == .white })
    {
      return true
    }
    let changed = overlay.pairings.isEmpty ? nil : overlay.pairings[imei.number]
    for pairing in changed ?? [] where held?[pairing.imsi] == nil {
      if isWhite(pairing.number) { return true }
    }
    guard var place = index.firstPairing(of: imei.number) else { return false }
    while place < index.pairingCount {
      let pairing = index.pairing(place)
      guard pairing.imei == imei.number else { return false }
      place += 1
      if !isWhite(pairing.number) || held?[pairing.imsi] != nil { continue }
      if changed == nil || overlay.pairing(imei.number, pairing.imsi) == nil { return true }
    }
    return false
  }

  private func isWhite(_ number: UInt16) -> Bool { classes.answer(number)?.status == .white }

  // MARK: The list itself

  /// What is listed, whatever is answered; nil where the subject is on no list.
  package func listed(_ subject: Subject) -> ListedClass? {
    classes.listed(classNumber(of: subject))
  }

  func classNumber(of subject: Subject) -> UInt16 {
    let keys = subject.keys
    return switch subject {
    case .imei: classNumber(ofIMEI: keys.first)
    case .tac(let tac): classNumber(ofTAC: tac.number)
    case .pairing: classNumber(ofPairing: keys.first, keys.second)
    case .range: classNumber(ofRange: keys.first, keys.second)
    }
  }

  @inline(__always)
  private func classNumber(ofIMEI imei: UInt64) -> UInt16 {
    if hasOverlay, let number = overlay.imeis[imei] { return number }
    return index.classNumber(ofIMEI: imei)
  }

  private func classNumber(ofTAC tac: UInt32) -> UInt16 {
    if !overlay.tacs.isEmpty, let number = overlay.tacs[tac] { return number }
    return index.classNumber(ofTAC: tac)
  }

  private func classNumber(ofPairing imei: UInt64, _ imsi: UInt64) -> UInt16 {
    if !overlay.pairings.isEmpty, let number = overlay.pairing(imei, imsi) { return number }
    return index.classNumber(ofPairing: imei, imsi)
  }

  private func classNumber(ofRange first: UInt64, _ last: UInt64) -> UInt16 {
    guard let ranges = overlay.ranges else {
      return index.classNumber(ofRange: first, last)
    }
    let (place, isFound) = ranges.index(first: first, last: last)
    return isFound ? ranges.items[place].number : IndexLayout.noClass
  }
}

extension MappedIndex {
  /// What cannot be, as in a damaged file, is left out.
  var allRanges: [RangeTable.Item] {
    (0..<rangeCount).lazy.map { self.range($0) }.filter { item in
      Int(item.number) < self.classes.count
        && Subject(kind: .range, first: item.first, second: item.last) != nil
    }
  }
}

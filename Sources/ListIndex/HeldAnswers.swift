internal import DeviceIdentity
package import DeviceLists
internal import HashTreeCollections

/// Between which positions the list made a subject black: after the first, not after the last.
package struct HeldSpan: Hashable, Sendable {
  package var after: Position
  package var upTo: Position

  package init(after: Position, upTo: Position) {
    self.after = after
    self.upTo = upTo
  }

  /// By the change of one position.
  package init(at position: Position) {
    self.init(after: Position(position.number - 1), upTo: position)
  }

  /// Not known, as for what a former program or a list of another epoch made black.
  package static let unknown = HeldSpan(after: .start, upTo: .start)

  package var isKnown: Bool { upTo > .start }
}

/// A subject that answers as it did before the list made it black.
package struct HeldSubject: Hashable, Sendable {
  /// What it answers by; empty where it was on no list.
  package var listed: ListedClass
  package var span: HeldSpan

  package init(listed: ListedClass, span: HeldSpan) {
    self.listed = listed
    self.span = span
  }
}

/// Subjects whose answers stay as they were while the list moves on: the brake. A copy shares what
/// it does not change, so that holding a few more costs no more when millions are held already.
package struct HeldAnswers: Sendable {
  /// Subjects that may be held at once: some 90 bytes of memory each, and five times as much while
  /// they are written. What would go beyond is not applied.
  package static let most = 2_000_000

  struct Item: Sendable {
    var number: UInt16
    var span: HeldSpan
  }

  private(set) var imeis = TreeDictionary<UInt64, Item>()
  private(set) var tacs = TreeDictionary<UInt32, Item>()
  /// By IMEI, then packed IMSI.
  private(set) var pairings = TreeDictionary<UInt64, [UInt64: Item]>()
  private(set) var ranges: [IMEIRange: HeldSubject] = [:]
  private(set) var numbering = ClassNumbering()
  package private(set) var count = 0

  package var isEmpty: Bool { count == 0 }

  package subscript(_ subject: Subject) -> HeldSubject? {
    let item: Item?
    switch subject {
    case .imei(let imei): item = imeis[imei.number]
    case .tac(let tac): item = tacs[tac.number]
    case .pairing(let pairing): item = pairings[pairing.imei.number]?[pairing.imsi.packed]
    case .range(let range): return ranges[range]
    }
    return item.map { HeldSubject(listed: numbering.listed[Int($0.number)], span: $0.span) }
  }

  /// In no order.
  package func visit(_ body: (Subject, HeldSubject) -> Void) {
    func show(_ subject: Subject?, _ item: Item) {
      guard let subject else { return }
      body(
        subject, HeldSubject(listed: numbering.listed[Int(item.number)], span: item.span))
    }
    for (imei, item) in imeis { show(Subject(kind: .imei, first: imei, second: 0), item) }
    for (tac, item) in tacs { show(Subject(kind: .tac, first: UInt64(tac), second: 0), item) }
    for (imei, items) in pairings {
      for (imsi, item) in items {
        show(Subject(kind: .pairing, first: imei, second: imsi), item)
      }
    }
    for (range, held) in ranges { body(.range(range), held) }
  }

  package func filter(_ isWanted: (Subject, HeldSubject) -> Bool) -> [Subject] {
    var wanted: [Subject] = []
    visit { subject, held in
      if isWanted(subject, held) { wanted.append(subject) }
    }
    return wanted
  }

  package var heldRanges: some Collection<IMEIRange> { ranges.keys }

  func answer(_ item: Item) -> EntryClass? { numbering.listed[Int(item.number)].effective }

  mutating func hold(_ subject: Subject, _ held: HeldSubject) throws(ListIndexError) {
    if self[subject] == nil { count += 1 }
    if case .range(let range) = subject {
      ranges[range] = held
      return
    }
    let item = Item(number: try numbering.number(of: held.listed), span: held.span)
    switch subject {
    case .imei(let imei): imeis[imei.number] = item
    case .tac(let tac): tacs[tac.number] = item
    case .pairing(let pairing):
      pairings[pairing.imei.number, default: [:]][pairing.imsi.packed] = item
    case .range: break
    }
  }

  mutating func release(_ subject: Subject) {
    guard self[subject] != nil else { return }
    count -= 1
    switch subject {
    case .imei(let imei): imeis[imei.number] = nil
    case .tac(let tac): tacs[tac.number] = nil
    case .range(let range): ranges[range] = nil
    case .pairing(let pairing):
      let imei = pairing.imei.number
      pairings[imei]?[pairing.imsi.packed] = nil
      if pairings[imei]?.isEmpty == true { pairings[imei] = nil }
    }
  }
}

/// The ranges that answers are given by while some are held.
final class AnsweringRanges: Sendable {
  let table: RangeTable
  let classes: ClassTable

  init(
    _ items: [RangeTable.Item], held: [IMEIRange: HeldSubject], classes: ClassTable
  ) throws(ListIndexError) {
    var numbering = ClassNumbering(classes)
    var kept = items.filter { item in
      guard let range = IMEIRange(first: item.first, last: item.last) else { return true }
      return held[range] == nil
    }
    for (range, subject) in held where !subject.listed.isEmpty {
      kept.append(
        RangeTable.Item(
          first: range.first.number, last: range.last.number,
          number: try numbering.number(of: subject.listed)))
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

import RegistryStore

/// The rows of a month in the order of the key, each key once, from memory and from files.
final class MonthRows {
  private var sorted: SortedMonthRows
  private let parts: [MonthPart]
  /// The next row of each, that of memory last; nil: it has no more.
  private var heads: [SightingRow?] = []
  /// Owns the memory of the rows.
  private let sorter: MonthSorter
  private var peeked: SightingRow?

  init(_ sorted: consuming SortedMonthRows, parts: [MonthPart], keeping sorter: MonthSorter) {
    self.sorted = sorted
    self.parts = parts
    self.sorter = sorter
  }

  /// The next row, which stays the next. Nil at the end.
  func peek() throws(UnreadableFile) -> SightingRow? {
    if peeked == nil { peeked = try take() }
    return peeked
  }

  func next() throws(UnreadableFile) -> SightingRow? {
    if let row = peeked {
      peeked = nil
      return row
    }
    return try take()
  }

  private func take() throws(UnreadableFile) -> SightingRow? {
    var row = SightingRow.none
    if parts.isEmpty { return sorted.next(&row) ? row : nil }
    if heads.isEmpty {
      for part in parts { heads.append(try part.read()) }
      heads.append(sorted.next(&row) ? row : nil)
    }
    var result: SightingRow?
    // Few parts: 40 million rows make seven.
    for head in heads {
      guard let head else { continue }
      if result.map({ head < $0 }) ?? true { result = head }
    }
    guard var least = result else { return nil }
    for place in heads.indices {
      guard let head = heads[place], head.isSame(as: least) else { continue }
      least.combine(head)
      heads[place] = place < parts.count ? try parts[place].read() : sorted.next(&row) ? row : nil
    }
    return least
  }
}

internal import DeviceLists

/// Ranges as they are listed, and cut into pieces that do not overlap, each with the fold of the
/// ranges over it.
final class RangeTable: Sendable {
  struct Item: Hashable, Sendable {
    var first: UInt64
    var last: UInt64
    var number: UInt16
  }

  /// From `start` up to the next segment.
  struct Segment: Hashable, Sendable {
    var start: UInt64
    /// ``IndexLayout/noClass`` where there is a gap.
    var number: UInt16
  }

  /// Ascending by first, then last.
  let items: [Item]
  let segments: [Segment]

  init(items: [Item], numbering: inout ClassNumbering) throws(ListIndexError) {
    self.items = items
    segments = try Self.segments(of: items, numbering: &numbering)
  }

  func classNumber(at imei: UInt64) -> UInt16 {
    var low = 0
    var high = segments.count
    while low < high {
      let middle = (low + high) / 2
      if segments[middle].start <= imei { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? IndexLayout.noClass : segments[low - 1].number
  }

  func index(first: UInt64, last: UInt64) -> (index: Int, isFound: Bool) {
    var low = 0
    var high = items.count
    while low < high {
      let middle = (low + high) / 2
      if (items[middle].first, items[middle].last) < (first, last) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    let isFound =
      low < items.count && items[low].first == first && items[low].last == last
    return (low, isFound)
  }

  /// A sweep over the ends of the ranges. The classes over a place are counted by number, so that
  /// each piece costs the number of different classes, however deep the ranges lie.
  private static func segments(
    of items: [Item], numbering: inout ClassNumbering
  ) throws(ListIndexError) -> [Segment] {
    let starts = items.map { (at: $0.first, number: $0.number) }
    let ends = items.map { (at: $0.last + 1, number: $0.number) }.sorted { $0.at < $1.at }
    var over: [UInt16: Int] = [:]
    var segments: [Segment] = []
    var start = 0
    var end = 0
    while end < ends.count {
      let nextEnd = ends[end].at
      let place = start < starts.count ? min(starts[start].at, nextEnd) : nextEnd
      while start < starts.count, starts[start].at == place {
        over[starts[start].number, default: 0] += 1
        start += 1
      }
      while end < ends.count, ends[end].at == place {
        let left = over[ends[end].number, default: 1] - 1
        over[ends[end].number] = left == 0 ? nil : left
        end += 1
      }
      let number = try fold(over.keys, numbering: &numbering)
      if segments.last?.number ?? IndexLayout.noClass != number {
        segments.append(Segment(start: place, number: number))
      }
    }
    return segments
  }

  private static func fold(
    _ numbers: some Collection<UInt16>, numbering: inout ClassNumbering
  ) throws(ListIndexError) -> UInt16 {
    guard let first = numbers.first else { return IndexLayout.noClass }
    if numbers.count == 1 { return first }
    var folded = ListedClass()
    for number in numbers {
      let item = numbering.listed[Int(number)]
      folded.all = EntryClass.fold(folded.all, item.all)
      folded.own = EntryClass.fold(folded.own, item.own)
    }
    return try numbering.number(of: folded)
  }
}

/// Ranges of numbers that may overlap, of which the narrowest counts; of equally narrow ones the
/// first that was given. However many there are, a number is found by one binary search.
struct NarrowestRange: Sendable {
  private static let nobody: Int32 = -1

  /// Where the ranges begin and where they have ended, ascending.
  private let bounds: [UInt64]
  /// Whose the numbers are from the bound of the same place up to the next.
  private let owners: [Int32]

  init(_ ranges: [(numbers: ClosedRange<UInt64>, owner: Int32)]) {
    let bounds = Set(ranges.flatMap { [$0.numbers.lowerBound, $0.numbers.upperBound + 1] }).sorted()
    var owners = [Int32](repeating: Self.nobody, count: bounds.count)
    // The narrowest first; each takes what is still free. `next` leads over what is taken.
    var next = Array(0...bounds.count)
    let order = ranges.indices.sorted { one, other in
      (Self.width(ranges[one]), one) < (Self.width(ranges[other]), other)
    }
    for index in order {
      let (numbers, owner) = ranges[index]
      let end = Self.count(bounds, upTo: numbers.upperBound)
      var place = Self.free(from: Self.count(bounds, upTo: numbers.lowerBound) - 1, &next)
      while place < end {
        owners[place] = owner
        next[place] = place + 1
        place = Self.free(from: place, &next)
      }
    }
    self.bounds = bounds
    self.owners = owners
  }

  /// Whose range a number is in; nil where it is in none.
  subscript(number: UInt64) -> Int? {
    let place = Self.count(bounds, upTo: number) - 1
    guard place >= 0, owners[place] != Self.nobody else { return nil }
    return Int(owners[place])
  }

  private static func width(_ range: (numbers: ClosedRange<UInt64>, owner: Int32)) -> UInt64 {
    range.numbers.upperBound - range.numbers.lowerBound
  }

  /// The first free place at or after `start`; the way there is made short for the next who asks.
  private static func free(from start: Int, _ next: inout [Int]) -> Int {
    var place = start
    while next[place] != place {
      next[place] = next[next[place]]
      place = next[place]
    }
    return place
  }

  /// How many of the bounds are at or below `number`.
  private static func count(_ bounds: [UInt64], upTo number: UInt64) -> Int {
    var (low, high) = (0, bounds.count)
    while low < high {
      let middle = (low + high) / 2
      if bounds[middle] <= number { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

import RegistryStore

/// Takes rows of one month in any order and gives them back in the order of the table's key, each
/// key once. What does not fit into memory is sorted in parts, which wait in files.
///
/// Time is linear in the rows while they fit (a radix sort by IMEI), and one more pass over the
/// disk beyond. Memory: 64 bytes for each of the rows that are held at a time.
final class MonthSorter {
  /// 384 MiB while they are sorted.
  static let mostRowsInMemory = 6_000_000

  private let rows: UnsafeMutablePointer<SightingRow>
  private let capacity: Int
  private var count = 0
  private var parts: [MonthPart] = []
  private let directory: String
  /// Rows that came, also those that were combined with others.
  private(set) var taken = 0

  /// - Parameter directory: for what does not fit into memory.
  init(directory: String, mostRows: Int = mostRowsInMemory) {
    self.directory = directory
    capacity = mostRows
    // Pages that are never written cost nothing.
    rows = .allocate(capacity: mostRows)
  }

  deinit { rows.deallocate() }

  func add(_ row: SightingRow) throws(UnreadableFile) {
    if count == capacity { try spill() }
    rows[count] = row
    count += 1
    taken += 1
  }

  private func spill() throws(UnreadableFile) {
    var sorted = SortedMonthRows(rows, count: count)
    let part = try MonthPart(in: directory)
    var row = SightingRow.none
    while sorted.next(&row) { try part.write(row) }
    try part.rewind()
    parts.append(part)
    count = 0
  }

  /// All rows in order; called once, when the last has come.
  func sorted() -> MonthRows {
    MonthRows(SortedMonthRows(rows, count: count), parts: parts, keeping: self)
  }
}

extension SightingRow {
  static let none = SightingRow(imei: 0, imsi: 0, msisdn: 0, days: 0, technologies: 0)
}

/// Rows in memory in the order of the key, each key once.
struct SortedMonthRows: ~Copyable {
  private struct Place {
    var imei: UInt64
    var index: UInt32
  }

  /// Of IMEIs, which have less than 48.
  private static let digitBits: UInt64 = 12
  private static let passes: UInt64 = 4

  private let rows: UnsafeMutablePointer<SightingRow>
  private var places: UnsafeMutablePointer<Place>
  private let count: Int
  /// Rows of the IMEI that is being given, sorted and combined.
  private var group: [SightingRow] = []
  private var given = 0
  private var next = 0

  init(_ rows: UnsafeMutablePointer<SightingRow>, count: Int) {
    self.rows = rows
    self.count = count
    places = .allocate(capacity: max(count, 1))
    for index in 0..<count { places[index] = Place(imei: rows[index].imei, index: UInt32(index)) }
    sortPlaces()
  }

  deinit { places.deallocate() }

  /// Least significant digit first.
  private mutating func sortPlaces() {
    var spare = UnsafeMutablePointer<Place>.allocate(capacity: max(count, 1))
    let buckets = 1 << Int(Self.digitBits)
    var starts = [Int](repeating: 0, count: buckets)
    for pass in 0..<Self.passes {
      let shift = pass * Self.digitBits
      let mask = UInt64(buckets - 1)
      starts.withUnsafeMutableBufferPointer { starts in
        starts.update(repeating: 0)
        for index in 0..<count { starts[Int(places[index].imei >> shift & mask)] += 1 }
        var start = 0
        for bucket in 0..<buckets {
          let size = starts[bucket]
          starts[bucket] = start
          start += size
        }
        for index in 0..<count {
          let bucket = Int(places[index].imei >> shift & mask)
          spare[starts[bucket]] = places[index]
          starts[bucket] += 1
        }
      }
      swap(&places, &spare)
    }
    spare.deallocate()
  }

  mutating func next(_ row: inout SightingRow) -> Bool {
    if given == group.count {
      guard gather() else { return false }
    }
    row = group[given]
    given += 1
    return true
  }

  /// The rows of the next IMEI.
  private mutating func gather() -> Bool {
    guard next < count else { return false }
    group.removeAll(keepingCapacity: true)
    given = 0
    let imei = places[next].imei
    while next < count, places[next].imei == imei {
      group.append(rows[Int(places[next].index)])
      next += 1
    }
    guard group.count > 1 else { return true }
    group.sort { $0 < $1 }
    var last = 0
    for index in 1..<group.count {
      if group[index].isSame(as: group[last]) {
        group[last].combine(group[index])
      } else {
        last += 1
        group[last] = group[index]
      }
    }
    group.removeLast(group.count - last - 1)
    return true
  }
}

import DeviceLists
import RegistryStore

/// Writes a month anew: the days of the file from the file, the other days from what is there.
struct MonthMerge {
  let month: CivilDate
  let number: ScopeNumber
  /// The days of the month that the file is about, as bits.
  let days: UInt32

  private var volumes: MonthVolumes
  private(set) var changed: [UInt64] = []
  private(set) var changedCount = 0

  init(month: CivilDate, number: ScopeNumber, days: UInt32) {
    self.month = month
    self.number = number
    self.days = days
    volumes = MonthVolumes(month: month)
  }

  /// What each day of the file has; called once, at the end.
  mutating func finishedVolumes() -> [DayVolume] { volumes.finish() }

  /// Rows of the file, its repetitions put together.
  var rows: Int { volumes.rows }

  /// Only counts: what a trial needs.
  mutating func count(_ rows: MonthRows) throws {
    while let row = try rows.next() { volumes.add(row) }
  }

  /// - Parameter old: hands over the rows that are there, in the order of the key.
  mutating func write(
    _ rows: MonthRows, to writer: inout SightingWriter,
    old: ((([SightingRow]) async throws -> Void) async throws -> Void)?
  ) async throws {
    if let old {
      try await old { chunk in
        for before in chunk {
          while let row = try rows.peek(), row < before {
            _ = try rows.next()
            volumes.add(row)
            note(row.imei)
            writer.put(row)
            if writer.isFull { try await writer.send() }
          }
          let next = try rows.peek()
          if let result = merge(before, with: next) { writer.put(result) }
          if let next, next.isSame(as: before) { _ = try rows.next() }
          if writer.isFull { try await writer.send() }
        }
      }
    }
    while let row = try rows.next() {
      volumes.add(row)
      if old != nil { note(row.imei) }
      writer.put(row)
      if writer.isFull { try await writer.send() }
    }
  }

  /// What becomes of a row that is there; nil: its days are all in the file, which has none.
  private mutating func merge(_ before: SightingRow, with next: SightingRow?) -> SightingRow? {
    var result = before
    result.days &= ~days
    if let next, next.isSame(as: before) {
      volumes.add(next)
      // Which day a technology was seen on is not known.
      result.technologies =
        result.days == 0 ? next.technologies : before.technologies | next.technologies
      result.days |= next.days
    }
    if result != before { note(before.imei) }
    return result.days == 0 ? nil : result
  }

  private mutating func note(_ imei: UInt64) {
    guard changed.last != imei else { return }
    changedCount += 1
    if changed.count <= RegistryTransaction.mostMarks { changed.append(imei) }
  }
}

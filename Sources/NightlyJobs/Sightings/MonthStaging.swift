import DeviceIdentity
import DeviceLists
import RegistryFiles
import RegistryStore

/// The lines of an operator's file, sorted into months.
final class MonthStaging {
  /// Different identities that are none, with their subscribers: they are held in memory.
  static let mostUnusable = 1_000_000

  private struct UnusableKey: Hashable {
    let identity: String
    let imsi: UInt64
    let msisdn: UInt64
  }

  private struct Month {
    let first: CivilDate
    let sorter: MonthSorter
    var unusable: [UnusableKey: (days: UInt32, technologies: Int32)] = [:]
  }

  private let directory: String
  private let mostRows: Int
  private var months: [Month] = []
  /// The place in `months` of the month that was needed last.
  private var current = 0
  private var unusableCount = 0

  init(directory: String, mostRows: Int = MonthSorter.mostRowsInMemory) {
    self.directory = directory
    self.mostRows = mostRows
  }

  func add(_ line: SeenLine) throws {
    let place = place(of: line.day)
    let bit = UInt32(1) << UInt32(line.day.day - 1)
    switch line.identity {
    case .imei(let imei, _):
      try months[place].sorter.add(
        SightingRow(
          imei: imei.number, imsi: line.imsi, msisdn: line.msisdn, days: bit,
          technologies: line.technologies.rawValue))
    case .unusable(let identity):
      let key = UnusableKey(identity: identity, imsi: line.imsi, msisdn: line.msisdn)
      if let old = months[place].unusable[key] {
        months[place].unusable[key] = (
          old.days | bit, old.technologies | line.technologies.rawValue
        )
      } else {
        unusableCount += 1
        guard unusableCount <= Self.mostUnusable else {
          throw ImportRefusal(
            "The file has more than \(Self.mostUnusable) subscribers with an identity that is no "
              + "IMEI: it can hardly be an operator's. Nothing was taken in.")
        }
        months[place].unusable[key] = (bit, line.technologies.rawValue)
      }
    }
  }

  private func place(of day: CivilDate) -> Int {
    if months.indices.contains(current), months[current].first.isMonth(of: day) { return current }
    if let place = months.firstIndex(where: { $0.first.isMonth(of: day) }) {
      current = place
      return place
    }
    months.append(
      Month(
        first: day.firstOfMonth, sorter: MonthSorter(directory: directory, mostRows: mostRows)))
    current = months.count - 1
    return current
  }

  struct Sorted {
    let month: CivilDate
    let rows: MonthRows
    let unusable: [UnusableSighting]
  }

  /// The months of `days`, in order, each once: also one that has no line, for the file says that
  /// nothing was seen. A sorter is emptied when its month is asked for.
  func sorted(days: ClosedRange<CivilDate>) -> [() -> Sorted] {
    for month in CivilDate.months(of: days) { _ = place(of: month) }
    return months.sorted { $0.first < $1.first }.map { month in
      {
        Sorted(
          month: month.first, rows: month.sorter.sorted(),
          unusable: month.unusable.map { key, value in
            UnusableSighting(
              identity: key.identity, imsi: key.imsi, msisdn: key.msisdn, days: value.days,
              technologies: value.technologies)
          })
      }
    }
  }
}

/// Why a file is not taken in: a sentence for the person who handed it over.
package struct ImportRefusal: Error, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}

extension CivilDate {
  var firstOfMonth: CivilDate { CivilDate(daysSinceEpoch: daysSinceEpoch - (day - 1)) }

  /// The first days of the months that `days` lie in, in order.
  static func months(of days: ClosedRange<CivilDate>) -> [CivilDate] {
    var months = [days.lowerBound.firstOfMonth]
    while let last = months.last {
      // 31 days on lies in the next month, whatever its length.
      let next = CivilDate(daysSinceEpoch: last.daysSinceEpoch + 31).firstOfMonth
      guard next <= days.upperBound else { break }
      months.append(next)
    }
    return months
  }

  func isMonth(of day: CivilDate) -> Bool { year == day.year && month == day.month }

  /// As bits, those of the month of `self` that lie in `days`.
  func bits(of days: ClosedRange<CivilDate>) -> UInt32 {
    (0..<31).reduce(0) { bits, number in
      let day = CivilDate(daysSinceEpoch: daysSinceEpoch + Int64(number))
      return isMonth(of: day) && days.contains(day) ? bits | 1 << UInt32(number) : bits
    }
  }
}

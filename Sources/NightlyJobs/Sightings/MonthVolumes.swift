import DeviceLists
import RegistryStore

/// Counts what each day of a month has, from rows in the order of the key: one pass, no memory.
struct MonthVolumes {
  private let month: CivilDate
  private var devices = [Int](repeating: 0, count: 32)
  private var pairs = [Int](repeating: 0, count: 32)
  private var triplets = [Int](repeating: 0, count: 32)
  private var last = SightingRow.none
  private var daysOfDevice: UInt32 = 0
  private var daysOfPair: UInt32 = 0
  private(set) var rows = 0

  init(month: CivilDate) { self.month = month }

  mutating func add(_ row: SightingRow) {
    if row.imei != last.imei {
      closeDevice()
    } else if row.imsi != last.imsi {
      closePair()
    }
    Self.count(row.days, in: &triplets)
    daysOfDevice |= row.days
    daysOfPair |= row.days
    last = row
    rows += 1
  }

  /// Days that have something, in order.
  mutating func finish() -> [DayVolume] {
    closeDevice()
    return (0..<31).filter { devices[$0] > 0 }.map { bit in
      DayVolume(
        day: CivilDate(daysSinceEpoch: month.daysSinceEpoch + Int64(bit)), devices: devices[bit],
        pairs: pairs[bit], triplets: triplets[bit])
    }
  }

  private mutating func closePair() {
    if last.imsi != 0 { Self.count(daysOfPair, in: &pairs) }
    daysOfPair = 0
  }

  private mutating func closeDevice() {
    closePair()
    Self.count(daysOfDevice, in: &devices)
    daysOfDevice = 0
  }

  private static func count(_ days: UInt32, in counts: inout [Int]) {
    var rest = days
    while rest != 0 {
      counts[rest.trailingZeroBitCount] += 1
      rest &= rest - 1
    }
  }
}

extension [DayVolume] {
  /// Of each measure, the mean of these days beside the mean of others; nil where there are none.
  func shares(of earlier: [DayVolume]) -> (devices: Double, pairs: Double, triplets: Double)? {
    guard !isEmpty, !earlier.isEmpty else { return nil }
    func share(_ measure: (DayVolume) -> Int) -> Double {
      let mean = Double(map(measure).reduce(0, +)) / Double(count)
      let before = Double(earlier.map(measure).reduce(0, +)) / Double(earlier.count)
      return before == 0 ? 1 : mean / before
    }
    return (share(\.devices), share(\.pairs), share(\.triplets))
  }
}

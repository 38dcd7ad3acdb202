import DeviceIdentity
import DeviceLists

/// The files of one operator: a month, the day after it, and perhaps the month corrected.
///
/// Lines stand by day, for so many cards at a time: memory does not grow with the country.
final class DumpWriter {
  static let cardsPerBlock = 1 << 16

  /// As alfa writes them, in words, and as beta does, by the numbers of TS 29.274, 8.17.
  static let technologies = [["GERAN", "UTRAN", "E-UTRAN"], ["2", "1", "6"]]

  /// Lines of cards without their days.
  struct Block {
    var lines: [UInt8] = []
    var ends: [Int] = []
    var days: [UInt32] = []
    var billingErrors: [Bool] = []

    mutating func removeAll() {
      lines.removeAll(keepingCapacity: true)
      ends.removeAll(keepingCapacity: true)
      days.removeAll(keepingCapacity: true)
      billingErrors.removeAll(keepingCapacity: true)
    }
  }

  private let operatorIndex: Int
  private let dates: [[UInt8]]
  private let month: DumpFile
  private let nextDay: DumpFile
  private let corrected: DumpFile?
  private var block = Block()

  /// `firstDay`: of the month. The corrected file has the month's name, in another folder.
  init(
    of country: SampleCountry, operatorIndex: Int, firstDay: CivilDate, dayCount: Int,
    folder: String, correctedFolder: String?
  ) throws(SimulationError) {
    self.operatorIndex = operatorIndex
    let days = (0...dayCount).map {
      CivilDate(daysSinceEpoch: firstDay.daysSinceEpoch + Int64($0))
    }
    let digits = days.map { day in
      var bytes: [UInt8] = []
      bytes.append(day)
      return bytes
    }
    dates = digits
    let code = country.operators[operatorIndex].code.description
    func name(_ first: Int, _ last: Int) -> String {
      let texts = [first, last].map { String(decoding: digits[$0], as: UTF8.self) }
      return "\(code)_\(texts[0])_\(texts[1]).csv"
    }
    let monthName = name(0, dayCount - 1)
    month = try DumpFile(folder: folder, name: monthName)
    nextDay = try DumpFile(folder: folder, name: name(dayCount, dayCount))
    corrected =
      if let correctedFolder {
        try DumpFile(folder: folder, name: "\(correctedFolder)/\(monthName)")
      } else {
        nil
      }
  }

  private var files: [DumpFile] { [month, nextDay] + (corrected.map { [$0] } ?? []) }

  func take(_ card: SeenCard) throws(SimulationError) {
    block.lines.append(",")
    append(card.identity)
    block.lines.append(",")
    block.lines.append(card.subscriber.network)
    block.lines.append(card.subscriber.imsiNumber, width: 10)
    block.lines.append(",")
    block.lines.append(card.subscriber.callingCode)
    block.lines.append(card.subscriber.msisdnNumber, width: 10)
    block.lines.append(",")
    block.lines.append(Self.technologies[operatorIndex][card.technology])
    block.lines.append("\n")
    block.ends.append(block.lines.count)
    block.days.append(card.days)
    block.billingErrors.append(card.isBillingError)
    if block.ends.count == Self.cardsPerBlock { try flush() }
  }

  /// Alfa's probes report fifteen digits, beta's an IMEI with the software version.
  private func append(_ identity: SeenCard.Identity) {
    switch identity {
    case .unusable(let text): block.lines.append(text)
    case .imei(let imei) where operatorIndex == 0: block.lines.append(imei)
    case .imei(let imei): block.lines.append(imei.number * 100 + 4, width: 16)
    }
  }

  private func flush() throws(SimulationError) {
    let dayCount = dates.count - 1
    for day in 0..<dayCount {
      try month.append(block, day: day, date: dates[day], withBillingErrors: true)
      try corrected?.append(block, day: day, date: dates[day], withBillingErrors: false)
    }
    try nextDay.append(block, day: dayCount, date: dates[dayCount], withBillingErrors: true)
    block.removeAll()
  }

  /// Ends the files; those about the month end with lines that nobody can use.
  func finish(_ imei: IMEI) throws(SimulationError) -> [SampleDump] {
    try flush()
    for file in files {
      if file !== nextDay { file.appendRefused(imei, date: dates[0]) }
      try file.finish()
    }
    return files.map(\.dump)
  }
}

/// How many lines a file has, its header not counted.
package struct SampleDump: Hashable, Sendable {
  /// Below the folder of the country.
  package let name: String
  package internal(set) var lines = 0
  /// Of these, those that an importer must refuse.
  package internal(set) var refused = 0
}

final class DumpFile {
  private var output: OutputFile
  private(set) var dump: SampleDump

  init(folder: String, name: String) throws(SimulationError) {
    output = try OutputFile(path: "\(folder)/\(name)")
    dump = SampleDump(name: name)
    output.bytes.append("date,imei,imsi,msisdn,rat\n")
  }

  func append(
    _ block: DumpWriter.Block, day: Int, date: [UInt8], withBillingErrors: Bool
  ) throws(SimulationError) {
    let bit: UInt32 = 1 << UInt32(day)
    var start = 0
    for index in block.ends.indices {
      let end = block.ends[index]
      defer { start = end }
      guard block.days[index] & bit != 0 else { continue }
      guard withBillingErrors || !block.billingErrors[index] else { continue }
      output.bytes.append(contentsOf: date)
      output.bytes.append(contentsOf: block.lines[start..<end])
      dump.lines += 1
      try output.lineEnded()
    }
  }

  /// An IMEI that a spreadsheet has damaged, an IMSI that is none, and a technology of the future.
  func appendRefused(_ imei: IMEI, date: [UInt8]) {
    let day = String(decoding: date, as: UTF8.self)
    output.bytes.append("\(day),3.5E+13,001010000000000,9990000000000,2\n")
    output.bytes.append("\(day),\(imei.dialled),00101OOOOOOOOOO,9990000000000,2\n")
    output.bytes.append("\(day),\(imei.dialled),001010000000000,9990000000000,9G\n")
    dump.lines += 3
    dump.refused += 3
  }

  func finish() throws(SimulationError) { try output.flush() }
}

/// NDJSON of messages of one kind: a JSON object a line, each line ended by a line feed.
package enum RecordLines {
  /// All of them or none: an error names the line.
  package static func read<Record: JSONMessage>(
    _ bytes: [UInt8], as type: Record.Type = Record.self, most: Int
  ) throws(ExchangeError) -> [Record] {
    var records: [Record] = []
    try bytes.withUnsafeBytes { bytes in
      Result { () throws(ExchangeError) in
        try forEachLine(bytes, most: most) { (line) throws(ExchangeError) in
          records.append(try Record(JSONValue(line)))
        }
      }
    }.get()
    return records
  }

  package static func write(_ records: some Sequence<some JSONMessage>) -> [UInt8] {
    records.reduce(into: []) { bytes, record in
      bytes += record.json
      bytes.append(0x0A)
    }
  }

  private static func forEachLine(
    _ bytes: UnsafeRawBufferPointer, most: Int,
    _ take: (UnsafeRawBufferPointer) throws(ExchangeError) -> Void
  ) throws(ExchangeError) {
    var number = 0
    var rest = bytes[...]
    while !rest.isEmpty {
      number += 1
      guard number <= most else { throw ExchangeError(.tooLarge, "over \(most) lines") }
      guard let end = rest.firstIndex(of: 0x0A) else {
        throw ExchangeError(.cutShort, "line \(number) has no end")
      }
      guard end - rest.startIndex <= ExchangeLimits.longestRecordBytes else {
        throw ExchangeError(
          .lineTooLong, "line \(number), over \(ExchangeLimits.longestRecordBytes) bytes")
      }
      do throws(ExchangeError) {
        try take(UnsafeRawBufferPointer(rebasing: rest[..<end]))
      } catch {
        throw ExchangeError(error.code, "line \(number): \(error.detail)")
      }
      rest = rest[(end + 1)...]
    }
  }
}

import DeviceIdentity
import DeviceLists

/// Reads at once the lines that ``DeltaEncoder`` writes for a device or a type, byte for byte; for
/// any other, however right, it returns nil and the JSON is read.
struct UsualLine {
  private struct Ending {
    let bytes: [UInt8]
    let entryClass: EntryClass?
  }

  private static let mostEndings = 16

  private let scopes: [(scope: Scope, bytes: [UInt8])]
  /// From the status on, as they were seen in lines that the JSON reader has accepted. Beside the
  /// fixed beginning such an end is right for every device.
  private var endings: [Ending] = []

  init(feed: Feed) {
    scopes = [Scope.all, .only(feed.ownOperator)].map { scope in
      (scope, Array("\(scope)\"".utf8))
    }
  }

  func change(_ line: UnsafeRawBufferPointer) -> Change? {
    guard let (position, scope, subject, end) = beginning(of: line) else { return nil }
    let rest = line[end...]
    for ending in endings where ending.bytes.count == rest.count {
      if ending.bytes.elementsEqual(rest) {
        return Change(
          position: position, subject: subject, scope: scope, entryClass: ending.entryClass)
      }
    }
    return nil
  }

  /// Remembers the end of a line that was read as JSON.
  mutating func learn(_ line: UnsafeRawBufferPointer, _ change: Change) {
    guard endings.count < Self.mostEndings, let (_, _, _, end) = beginning(of: line) else {
      return
    }
    endings.append(Ending(bytes: Array(line[end...]), entryClass: change.entryClass))
  }

  private func beginning(
    of line: UnsafeRawBufferPointer
  ) -> (Position, Scope, Subject, end: Int)? {
    var scan = Scan(line)
    guard scan.take("{\"position\":"), let position = scan.number() else { return nil }
    guard scan.take(",\"scope\":\"") else { return nil }
    guard let scope = scopes.first(where: { scan.take($0.bytes) })?.scope else { return nil }
    if scan.take(",\"imei\":\"") {
      guard let number = scan.digits(14), let imei = IMEI(number: number) else { return nil }
      guard scan.take("\",") else { return nil }
      return (Position(position), scope, .imei(imei), scan.place - 1)
    }
    guard scan.take(",\"tac\":\""), let number = scan.digits(8) else { return nil }
    guard let tac = TAC(number: UInt32(number)), scan.take("\",") else { return nil }
    return (Position(position), scope, .tac(tac), scan.place - 1)
  }
}

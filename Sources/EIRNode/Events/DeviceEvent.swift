import DeviceIdentity
import DeviceLists

/// A subscriber was seen with another device than before, as the operator's own system is told.
struct DeviceEvent: Hashable, Sendable {
  let imsi: IMSI
  let device: IMEISV
  /// Fourteen digits; nil for the first device of a subscriber.
  let previous: IMEI?
  let interface: CheckInterface
  let answer: CheckAnswer
  let at: Instant

  /// One line of JSON. Nothing in it needs to be escaped.
  var line: String {
    var line = "{\"type\":\"\(previous == nil ? "deviceSeen" : "deviceChanged")\""
    line += ",\"at\":\"\(at)\",\"imsi\":\"\(imsi.digits)\",\"imei\":\"\(device.imei)\""
    if let previous { line += ",\"previousImei\":\"\(previous)\"" }
    if let version = device.softwareVersion {
      line += ",\"softwareVersion\":\"\(version < 10 ? "0" : "")\(version)\""
    }
    return line + ",\"interface\":\"\(interface)\",\"answer\":\"\(answer)\"}\n"
  }

  /// When the event of a line was made.
  static func moment(ofLine line: ArraySlice<UInt8>) -> Instant? {
    let parts = String(decoding: line, as: UTF8.self).split(separator: "\"")
    guard let name = parts.firstIndex(of: "at"), name + 2 < parts.endIndex else { return nil }
    return Instant(parts[name + 2])
  }
}

/// Personal data: it has no description, so that it cannot reach a log by accident.
extension DeviceEvent: CustomStringConvertible, CustomReflectable {
  var description: String { "an event of a device" }
  var customMirror: Mirror { Mirror(self, children: [:]) }
}

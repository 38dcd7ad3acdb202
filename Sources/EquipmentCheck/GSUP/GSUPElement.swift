/// Information elements of GSUP, as far as a device check has to do with them.
/// libosmocore, `gsm/gsup.h`.
enum GSUPElement {
  static let imsi: UInt8 = 0x01
  static let cause: UInt8 = 0x02
  static let messageClass: UInt8 = 0x0A
  static let sessionID: UInt8 = 0x30
  static let sessionState: UInt8 = 0x31
  static let messageReference: UInt8 = 0x40
  static let imei: UInt8 = 0x50
  static let imeiResult: UInt8 = 0x51
  static let sourceName: UInt8 = 0x60
  static let destinationName: UInt8 = 0x61

  /// `OSMO_GSUP_SESSION_STATE_END`.
  static let sessionEnd: UInt8 = 0x03

  /// One element: its tag, one octet that counts the value, the value.
  static func octets(_ tag: UInt8, _ value: [UInt8]) -> [UInt8] {
    [tag, UInt8(value.count)] + value
  }
}

/// Walks over the elements of one message.
struct GSUPElements {
  struct Broken: Error {}

  private var rest: ArraySlice<UInt8>

  init(_ octets: ArraySlice<UInt8>) { rest = octets }

  /// Nil at the end; an error where an element is longer than what is there.
  mutating func next() throws(Broken) -> (tag: UInt8, value: [UInt8])? {
    guard let tag = rest.popFirst() else { return nil }
    guard let count = rest.popFirst(), rest.count >= Int(count) else { throw Broken() }
    defer { rest.removeFirst(Int(count)) }
    return (tag, Array(rest.prefix(Int(count))))
  }
}

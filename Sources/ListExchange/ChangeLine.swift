import DeviceIdentity
import DeviceLists

/// One line of a delta before its checkpoint.
enum ChangeLine {
  static func change(_ object: JSONValue) throws(ExchangeError) -> Change {
    let position = try object.position("position")
    let scope = try object.member("scope") { Scope($0) }
    return Change(
      position: position, subject: try subject(of: object), scope: scope,
      entryClass: try entryClass(of: object))
  }

  private static func subject(of object: JSONValue) throws(ExchangeError) -> Subject {
    let named = ["imei", "tac", "range", "pairing"].filter { object[$0] != nil }
    guard named.count == 1 else {
      throw ExchangeError(.malformed, "\(named.count) subjects in one line")
    }
    switch named[0] {
    case "imei": return .imei(try imei(object, "imei"))
    case "tac":
      let number = try digits(object, "tac", count: 8)
      guard let tac = TAC(number: UInt32(number)) else { throw unusable("tac") }
      return .tac(tac)
    case "range":
      guard let ends = object["range"] else { throw unusable("range") }
      let (first, last) = (try imei(ends, "first"), try imei(ends, "last"))
      guard let range = IMEIRange(first: first, last: last) else { throw unusable("range") }
      return .range(range)
    default:
      guard let pair = object["pairing"] else { throw unusable("pairing") }
      let imsi = try pair.member("imsi") { try? IMSI($0) }
      return .pairing(Pairing(imei: try imei(pair, "imei"), imsi: imsi))
    }
  }

  private static func entryClass(of object: JSONValue) throws(ExchangeError) -> EntryClass? {
    guard let word = object["status"] else { throw unusable("status") }
    if word == .null {
      guard object["grounds"] == nil, object["overridable"] == nil else {
        throw ExchangeError(.malformed, "grounds of an entry that is taken off the list")
      }
      return nil
    }
    guard let text = word.text else { throw unusable("status") }
    guard let status = ListStatus(word: text) else { throw unknown("status") }
    let codes = try object.grounds()
    guard let isOverridable = object["overridable"]?.bool else { throw unusable("overridable") }
    guard isOverridable || status == .black else { throw unusable("overridable") }
    return EntryClass(status: status, codes: codes, isOverridable: isOverridable)
  }

  private static func imei(_ object: JSONValue, _ name: String) throws(ExchangeError) -> IMEI {
    guard let imei = IMEI(number: try digits(object, name, count: 14)) else {
      throw unusable(name)
    }
    return imei
  }

  private static func digits(
    _ object: JSONValue, _ name: String, count: Int
  ) throws(ExchangeError) -> UInt64 {
    guard let text = object[name]?.text, text.utf8.count == count else { throw unusable(name) }
    var number: UInt64 = 0
    for byte in text.utf8 {
      guard 0x30...0x39 ~= byte else { throw unusable(name) }
      number = number * 10 + UInt64(byte & 15)
    }
    return number
  }

  private static func unusable(_ name: String) -> ExchangeError {
    ExchangeError(.malformed, "no usable \"\(name)\"")
  }

  private static func unknown(_ what: String) -> ExchangeError {
    ExchangeError(.unknownWord, "a \(what) that this version does not know")
  }
}

extension JSONValue {
  func grounds() throws(ExchangeError) -> GroundCodeSet {
    guard let words = self["grounds"]?.array else { throw unusable("grounds") }
    var codes = GroundCodeSet()
    for word in words {
      guard let text = word.text else { throw unusable("grounds") }
      guard let code = GroundCode(word: text) else {
        throw ExchangeError(.unknownWord, "a ground that this version does not know")
      }
      codes.formUnion(GroundCodeSet(code))
    }
    return codes
  }
}

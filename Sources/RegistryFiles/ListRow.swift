package import DeviceIdentity

/// One good line of a list.
package struct ListRow: Hashable, Sendable {
  package let subject: ListSubject
  /// A JSON object of the other columns, in the order of their names; `{}` where none are kept.
  package let attributes: String
  /// Only of a file of changes.
  package let change: ListChange?
  /// The first line of the record, from 1.
  package let line: Int
}

/// What a line of a list is about. A person is named by the regulator's own number for him.
package enum ListSubject: Hashable, Sendable {
  case imei(IMEI)
  case tac(TAC)
  /// MD5 of the 14 digits of an IMEI: 32 hexadecimal digits, small ones.
  case hash(String)
  case pairing(IMEI, IMSI)
  case subscriber(IMSI, person: String)
  case association(IMEI, person: String)

  /// The same for the same subject, and practically never for another; exact but for persons.
  var number: UInt128 {
    switch self {
    case .imei(let imei): UInt128(imei.number)
    case .tac(let tac): UInt128(tac.number)
    case .hash(let digits): UInt128(digits, radix: 16) ?? 0
    case .pairing(let imei, let imsi): UInt128(imei.number) << 64 | UInt128(imsi.packed)
    case .subscriber(let imsi, let person): Self.digest(imsi.packed, person)
    case .association(let imei, let person): Self.digest(imei.number, person)
    }
  }

  /// FNV-1a with 128 bits.
  private static func digest(_ number: UInt64, _ text: String) -> UInt128 {
    let prime = UInt128(1) << 88 + 0x13B
    var state = UInt128(0x6C62_272E_07BB_0142) << 64 | 0x62B8_2175_6295_C58D
    for byte in 0..<8 { state = (state ^ UInt128(number >> (8 * byte) & 0xFF)) &* prime }
    for byte in text.utf8 { state = (state ^ UInt128(byte)) &* prime }
    return state
  }
}

/// Messages of GSUP and of the handshake before it, as libosmo-gsup-client sends them.
enum GSUPMessages {
  /// 123456789012345, from libosmocore's `tests/gsup/gsup_test.c`.
  static let imsi = octets("01 08 21 43 65 87 09 21 43 f5")
  /// Update Location of the circuit-switched domain, Send Auth Info, Purge MS.
  static let updateLocation = gsup([0x04] + imsi + octets("28 01 02 0a 01 01"))
  static let authInfo = gsup([0x08] + imsi + octets("0a 01 01"))
  static let ping = ipa(0xFE, [0x00])
  static let pong = ipa(0xFE, [0x01])
  /// Purge MS of a subscriber of its own: its answer comes after those of all before it.
  static let barrier = gsup(octets("0c 01 08 99 99 99 99 99 99 99 f9"))

  /// ID RESP with the names that the router of osmo-hlr looks at.
  static func identity(_ name: String) -> [UInt8] {
    let tags: [(UInt8, String)] = [
      (0x08, "0/0/0"), (0x07, "00:00:00:00:00:00"), (0x02, ""), (0x03, ""), (0x04, ""),
      (0x05, "test"), (0x01, name), (0x00, name),
    ]
    return ipa(
      0xFE,
      tags.reduce([0x05]) { all, tag in
        let text = Array(tag.1.utf8) + [0]
        return all + [0, UInt8(text.count + 1), tag.0] + text
      })
  }

  /// Check-IMEI for fourteen digits.
  static func check(_ imei: UInt64, more: String = "") -> [UInt8] {
    let digits = String(repeating: "0", count: 14 - String(imei).count) + String(imei)
    let numbers = digits.utf8.map { $0 - 0x30 }
    let coded = stride(from: 0, to: 14, by: 2).map { numbers[$0] | numbers[$0 + 1] << 4 }
    return gsup([0x30] + imsi + [0x50, 0x08, 0x07] + coded + octets(more))
  }

  static let accepted = gsup([0x32] + imsi + [0x51, 0x01, 0x00])
  static let refused = gsup([0x32] + imsi + [0x51, 0x01, 0x01])

  static func gsup(_ message: [UInt8]) -> [UInt8] { ipa(0xEE, [0x05] + message) }

  static func ipa(_ stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
    [UInt8(payload.count >> 8), UInt8(payload.count & 0xFF), stream] + payload
  }

  /// From hexadecimal digits with spaces between the octets.
  static func octets(_ text: String) -> [UInt8] {
    text.split(separator: " ").map { UInt8($0, radix: 16)! }
  }
}

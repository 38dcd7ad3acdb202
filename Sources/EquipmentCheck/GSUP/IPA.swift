/// The envelope of Osmocom's protocols on TCP, first that of ip.access base stations: two octets
/// that count the payload, one that names the stream, then the payload.
///
/// Numbers as in libosmocore, `gsm/protocol/ipaccess.h`.
package enum IPA {
  package static let headerOctets = 3
  /// What two octets can count.
  package static let longestPayload = 0xFFFF
  package static let longestMessage = headerOctets + longestPayload

  /// `IPAC_PROTO_OSMO`: the first octet of the payload says which of Osmocom's own protocols.
  static let osmocomStream: UInt8 = 0xEE
  /// `IPAC_PROTO_EXT_GSUP`.
  static let gsupExtension: UInt8 = 0x05

  /// How many octets the message has that begins with `octets`; nil while that is not yet known.
  package static func messageOctets(_ octets: Span<UInt8>) -> Int? {
    guard octets.count >= headerOctets else { return nil }
    return headerOctets + Int(octets[0]) << 8 + Int(octets[1])
  }

  /// Where the first octet of GSUP stands in a whole message, its type; nil where it is a message
  /// of another protocol, or an empty one.
  static func gsupType(_ message: Span<UInt8>) -> Int? {
    guard message.count > headerOctets + 1, message[2] == osmocomStream,
      message[headerOctets] == gsupExtension
    else { return nil }
    return headerOctets + 1
  }

  /// - Parameter gsup: at most ``longestPayload`` − 1 octets.
  static func message(gsup: [UInt8]) -> [UInt8] {
    let payload = gsup.count + 1
    precondition(payload <= longestPayload)
    return [UInt8(payload >> 8), UInt8(payload & 0xFF), osmocomStream, gsupExtension] + gsup
  }
}

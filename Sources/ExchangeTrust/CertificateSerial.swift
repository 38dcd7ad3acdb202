package import X509

/// The serial number of a certificate of the registry, as the list of the revoked knows it: 2 to 40
/// lower-case hexadecimal digits.
package struct CertificateSerial: Hashable, Sendable, CustomStringConvertible {
  /// A certificate's serial has at most 20 bytes. RFC 5280, 4.1.2.2.
  package static let longestBytes = 20

  package let description: String

  package init?(_ text: some StringProtocol) {
    guard (2...2 * Self.longestBytes).contains(text.utf8.count), text.utf8.count % 2 == 0 else {
      return nil
    }
    let isDigit: (UInt8) -> Bool = { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
    guard text.utf8.allSatisfy(isDigit) else { return nil }
    description = String(text)
  }

  package init(_ number: Certificate.SerialNumber) {
    description = number.bytes.map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }

  /// 128 bits, of which the first byte is neither 0 nor above 127: so the number is positive and
  /// always written with 32 digits.
  static func random(
    using generator: inout some RandomNumberGenerator
  ) -> Certificate.SerialNumber {
    var bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    bytes[0] = UInt8.random(in: 1...127, using: &generator)
    return Certificate.SerialNumber(bytes: bytes)
  }
}

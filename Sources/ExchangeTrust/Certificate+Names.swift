package import DeviceLists
import Foundation
import SwiftASN1
package import X509

/// What a certificate is shown for.
package enum CertificateUse: Hashable, Sendable {
  /// It opens connections.
  case client
  /// It accepts them.
  case server
  /// It signs checkpoints.
  case signature

  var usage: ExtendedKeyUsage.Usage {
    switch self {
    case .client: .clientAuth
    case .server: .serverAuth
    case .signature: .documentSigning
    }
  }
}

extension ExtendedKeyUsage.Usage {
  /// id-kp-documentSigning: no TLS library takes such a certificate for a peer. RFC 9336, 3.1.
  static let documentSigning = ExtendedKeyUsage.Usage(oid: [1, 3, 6, 1, 5, 5, 7, 3, 36])
}

extension Certificate {
  package var serial: CertificateSerial { CertificateSerial(serialNumber) }
  package var validFrom: Instant { Instant(notValidBefore) }
  /// The last second in which it counts.
  package var validUntil: Instant { Instant(notValidAfter) }

  /// Whom it names; nil where it names nobody of a registry, or more than one.
  package var peerName: PeerName? {
    guard let names = try? extensions.subjectAlternativeNames else { return nil }
    let uris = names.compactMap { name in
      if case .uniformResourceIdentifier(let uri) = name { uri } else { nil as String? }
    }.filter { $0.hasPrefix("urn:openceir:") }
    return uris.count == 1 ? PeerName(uri: uris[0]) : nil
  }

  func isMade(for use: CertificateUse) -> Bool {
    guard let usages = try? extensions.extendedKeyUsage else { return false }
    return usages.contains(use.usage)
  }

  /// Reads DER.
  package init(der bytes: [UInt8]) throws(TrustError) {
    do {
      try self.init(derEncoded: bytes)
    } catch {
      throw TrustError(
        .unreadable, "the certificate is not in DER as X.509 has it", underlying: error)
    }
  }

  package func derBytes() throws(TrustError) -> [UInt8] {
    do {
      var serializer = DER.Serializer()
      try serializer.serialize(self)
      return serializer.serializedBytes
    } catch {
      throw TrustError(.unreadable, "the certificate cannot be written as DER", underlying: error)
    }
  }

  package func pemText() throws(TrustError) -> String {
    do {
      return try serializeAsPEM().pemString + "\n"
    } catch {
      throw TrustError(.unreadable, "the certificate cannot be written as PEM", underlying: error)
    }
  }
}

extension Instant {
  init(_ date: Date) {
    self.init(secondsSinceEpoch: Int64(date.timeIntervalSince1970.rounded(.down)))
  }

  /// The machine's clock: the default of those who ask at an edge.
  static func ofMachine() -> Instant { Instant(Date()) }

  var date: Date { Date(timeIntervalSince1970: Double(secondsSinceEpoch)) }
}

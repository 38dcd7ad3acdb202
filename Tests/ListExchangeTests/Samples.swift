import Crypto
import DeviceIdentity
import DeviceLists

@testable import ListExchange

/// Values that several tests use.
enum Samples {
  static let alpha = OperatorCode("alpha")!
  static let feed = Feed(of: alpha)
  static let registry = RegistryName("demo")!
  static let epoch = Epoch(high: 1, low: 2)
  static let otherEpoch = Epoch(high: 3, low: 4)
  static let imei = IMEI(number: 49_015_420_323_751)!
  static let issuedAt = Instant("2026-11-23T06:23:17Z")!

  static let black = EntryClass(
    status: .black, codes: [.init(.courtOrder), .init(.stolen)], isOverridable: false)
  static let grey = EntryClass(status: .grey, codes: .init(.ownershipClaim))
  static let white = EntryClass(status: .white, codes: .init(.genuineOwner))

  static let signingKey = P256.Signing.PrivateKey()
  /// Not looked at here, so any bytes will do.
  static let certificates: [[UInt8]] = [[0x30, 1, 2], [0x30, 3]]
  static let signer = CheckpointSigner(key: signingKey, certificates: certificates)

  static func digest(_ number: UInt8) -> ListDigest {
    ([number] + [UInt8](repeating: 0, count: 31)).withUnsafeBytes {
      ListDigest(littleEndian: $0)
    }
  }

  static func change(
    _ position: UInt64, _ subject: Subject = .imei(imei), scope: Scope = .all,
    _ entryClass: EntryClass? = black
  ) -> Change {
    Change(
      position: Position(position), subject: subject, scope: scope, entryClass: entryClass)
  }

  static let everyKind: [Change] = [
    change(12),
    change(13, .tac(TAC(number: 49_015_420)!), scope: .only(alpha), grey),
    change(
      15,
      .range(IMEIRange(first: IMEI(number: 0)!, last: IMEI(number: 99_999_999_999_999)!)!), nil),
    change(
      20, .pairing(Pairing(imei: imei, imsi: IMSI(packed: 15_001_010_123_456_789)!)),
      scope: .only(alpha), white),
  ]

  static func head(_ position: UInt64, digest: ListDigest = digest(7)) -> ListHead {
    ListHead(
      epoch: epoch, position: Position(position), digest: digest, issuedAt: issuedAt)
  }

  static func encoded(_ changes: [Change], after: UInt64 = 11, upTo: UInt64 = 20) -> [UInt8] {
    var encoder = DeltaEncoder(after: Position(after))
    for change in changes { encoder.append(change) }
    return encoder.finish(registry: registry, feed: feed, head: head(upTo))
  }

  static func decoded(
    _ bytes: [UInt8], after: UInt64 = 11, limits: ExchangeLimits = ExchangeLimits()
  ) throws(ExchangeError) -> ReceivedDelta {
    var decoder = DeltaDecoder(feed: feed, after: Position(after), limits: limits)
    try decoder.append(bytes)
    return try decoder.finish()
  }
}

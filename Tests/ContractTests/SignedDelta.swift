import Crypto
import DeviceLists
import Foundation
import ListExchange

/// `Schema/exchange/vectors`: one delta, its signed text and the root that vouches for its signer.
enum SignedDelta {
  /// The key of RFC 6979, A.2.5, whose private half is public too: nobody's secret.
  static var key: P256.Signing.PublicKey {
    get throws {
      let coordinates =
        "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
        + "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
      return try P256.Signing.PublicKey(rawRepresentation: bytes(hexadecimal: coordinates))
    }
  }

  static func bytes(hexadecimal text: String) -> [UInt8] {
    let digits = Array(text.utf8).map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x57 }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  static var bytes: [UInt8] {
    get throws {
      Array(try Data(contentsOf: Contract.folder.appending(path: "vectors/signed-delta.ndjson")))
    }
  }

  static func read() throws -> ReceivedDelta {
    let feed = Feed(of: OperatorCode("red")!)
    var decoder = DeltaDecoder(feed: feed, after: Position(11))
    try decoder.append(bytes)
    return try decoder.finish()
  }
}

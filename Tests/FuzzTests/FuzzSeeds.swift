import DeviceIdentity
import DeviceLists
import Fuzzing
import Simulation

@testable import ListIndex

/// The inputs that fuzzing starts from, made from the vectors of other tests.
enum FuzzSeeds {
  static func all(_ target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
    switch target {
    case .diameter: diameter
    case .gsup: gsup
    case .n17: n17
    case .list: try FuzzLists.seeds()
    }
  }

  static let refused: Set = ["error", "none", "stranger"]

  private static let diameter: [(name: String, bytes: [UInt8])] = [
    (
      "session",
      DiameterBytes.capabilities() + DiameterBytes.checkRequest()
        + DiameterBytes.message(280, application: 0, flags: 0x80, number: 3, [])
        + DiameterBytes.message(
          282, application: 0, flags: 0x80, number: 4, [DiameterBytes.avp(273, number: 0)])
    ),
    (
      "check",
      DiameterBytes.checkRequest(
        DiameterBytes.check(softwareVersion: "12", imsi: "001010123456789") + [
          (293, DiameterBytes.avp(293, "eir.example.org")),
          (282, DiameterBytes.avp(282, "dra.example.org")),
          (284, DiameterBytes.avp(284, DiameterBytes.avp(280, "dra") + DiameterBytes.avp(33, "x"))),
          (301, DiameterBytes.avp(301, flags: 0, number: 3)),
        ])
    ),
    ("unusable", DiameterBytes.checkRequest(DiameterBytes.check(imei: "4901542A32375"))),
    (
      "stranger",
      DiameterBytes.capabilities(
        number: 7, more: [DiameterBytes.avp(299, number: 0), DiameterBytes.avp(278, number: 9)])
    ),
    ("error", DiameterBytes.message(324, application: 16_777_252, flags: 0xE0, [])),
  ]

  private static let gsup: [(name: String, bytes: [UInt8])] = [
    ("check", ipa("01 08 21 43 65 87 09 21 43 f5 50 08 07 94 10 45 02 23 73 15 0a 01 01")),
    (
      "route",
      ipa(
        "01 08 21 43 65 87 09 21 43 f5 50 09 08 94 10 45 02 23 73 15 f8 30 04 00 00 00 07 31 01 01"
          + " 40 01 fa 60 08 46 41 52 2d 4d 53 43 00")
    ),
    ("unusable", ipa("01 08 21 43 65 87 09 21 43 f5 50 08 07 a4 10 45 02 23 73 15")),
    ("none", ipa("01 08 21 43 65 87 09 21 43 f5 0a 00") + [0, 1, 0xFE, 0]),
  ]

  private static func ipa(_ elements: String) -> [UInt8] {
    let gsup = [0x30] + elements.split(separator: " ").map { UInt8($0, radix: 16) ?? 0 }
    return [UInt8((gsup.count + 1) >> 8), UInt8((gsup.count + 1) & 0xFF), 0xEE, 0x05] + gsup
  }

  private static let n17: [(name: String, bytes: [UInt8])] = [
    ("imei", "pei=imei-490154203237518&supi=imsi-001010123456789&gpsi=msisdn-491701234567"),
    ("imeisv", "pei=imeisv-4901542032375100&supported-features=1f"),
    ("escaped", "%70ei=%69mei%2D490154203237518&x=%FF\napplication/json, */*;q=0.0"),
    ("mac", "pei=mac-00-00-5E-00-53-00\napplication/problem+json;q=0.5, text/*"),
  ].map { name, query in
    (name, Array("GET /n5g-eir-eic/v1/equipment-status?\(query)".utf8))
  }
}

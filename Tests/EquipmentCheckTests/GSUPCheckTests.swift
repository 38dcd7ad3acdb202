import DeviceIdentity
import DeviceLists
import EquipmentCheck
import Simulation
import Testing

/// Check-IMEI of Osmocom's GSUP. The messages are those of libosmocore 1.7.0,
/// `tests/gsup/gsup_test.c`, or say where they come from.
struct GSUPCheckTests {
  /// `TEST_IMSI_IE`: 123456789012345.
  private static let imsi = "01 08 21 43 65 87 09 21 43 f5"
  /// Fourteen digits, as osmo-msc 1.9.0 sends them (`vlr_subscr_tx_req_check_imei`): made up.
  private static let imei = "50 08 07 94 10 45 02 23 73 15"

  private static func check(_ elements: String) -> GSUPCheck? {
    GSUPCheck(ipa("30 " + elements))
  }

  @Test func `a request asks for a device and its subscriber`() throws {
    let check = try #require(Self.check("\(Self.imsi) \(Self.imei) 0a 01 01"))
    let device = IMEISV(imei: IMEI(number: 49_015_420_323_751)!)
    #expect(
      check.question
        == .query(CheckQuery(identity: .device(device), imsi: try IMSI("123456789012345"))))
  }

  @Test(arguments: [
    // send_check_imei_res, send_check_imei_err; NACK is 1 by gsup.h.
    (GSUPAnswer.accepted, "32 01 08 21 43 65 87 09 21 43 f5 51 01 00"),
    (.refused, "32 01 08 21 43 65 87 09 21 43 f5 51 01 01"),
    (.error(.invalidMandatoryInformation), "31 01 08 21 43 65 87 09 21 43 f5 02 01 60"),
  ])
  func `an answer has the octets of libosmocore`(answer: GSUPAnswer, message: String) throws {
    let check = try #require(Self.check("\(Self.imsi) \(Self.imei)"))
    #expect(check.message(answer) == ipa(message))
  }

  @Test func `an IMEI that is longer than its element is an error`() throws {
    // send_check_imei_req, whose IMEI is no IMEI.
    let check = try #require(Self.check("\(Self.imsi) 50 09 42 42 42 42 42 42 42 42 42"))
    #expect(check.question == .illFormed(.invalidMandatoryInformation))
  }

  /// What osmo-hlr 1.5.0 has answered to the same requests, where it was asked.
  @Test(arguments: [
    ("0a 01 01", "51 01 00 0a 01 01"),
    ("0a 00", "51 01 00"),
    ("60 08 46 41 52 2d 4d 53 43 00", "51 01 00 61 08 46 41 52 2d 4d 53 43 00"),
    ("61 08 54 48 45 2d 48 4c 52 00", "51 01 00"),
    ("30 04 00 00 00 07 31 01 01", "30 04 00 00 00 07 31 01 03 51 01 00"),
    ("30 04 00 00 00 07 31 01 00", "51 01 00"),
    ("40 01 fa", "40 01 fa 51 01 00"),
    ("f0 02 7a 7a 28 00", "51 01 00"),
    ("01 03 21 43 65", "51 01 00"),
  ])
  func `an answer carries what leads it back`(elements: String, answer: String) throws {
    let check = try #require(Self.check("\(Self.imsi) \(Self.imei) \(elements)"))
    #expect(check.message(.accepted) == ipa("32 \(Self.imsi) \(answer)"))
  }

  @Test func `an error carries the same`() throws {
    let names = "60 02 41 00 61 02 42 00 30 04 00 00 00 07 31 01 01 0a 01 04"
    let check = try #require(Self.check("\(Self.imsi) \(names)"))
    #expect(check.question == .illFormed(.invalidMandatoryInformation))
    #expect(
      check.message(.error(.invalidMandatoryInformation))
        == ipa("31 \(Self.imsi) 02 01 60 30 04 00 00 00 07 31 01 03 0a 01 04 61 02 41 00"))
  }

  @Test(arguments: [
    // 15 digits, 16 digits; 14 with the filler of a whole octet; of two the last one.
    ("50 09 08 94 10 45 02 23 73 15 f8", 49_015_420_323_751, UInt8?.none),
    ("50 09 08 94 10 45 02 23 73 15 21", 49_015_420_323_751, 12),
    ("50 09 08 94 10 45 02 23 73 15 ff", 49_015_420_323_751, nil),
    ("50 02 01 94 50 08 07 94 10 45 02 23 73 15", 49_015_420_323_751, nil),
    ("50 09 07 94 10 45 02 23 73 15 99", 49_015_420_323_751, nil),
  ])
  func `an IMEI with more digits is the same device`(
    element: String, number: UInt64, version: UInt8?
  ) throws {
    let check = try #require(Self.check("\(Self.imsi) \(element)"))
    guard case .query(let query) = check.question else { return #expect(Bool(false)) }
    let imei = try #require(IMEI(number: number))
    #expect(query.identity == .device(IMEISV(imei: imei, softwareVersion: version)))
  }

  @Test(arguments: [
    ("50 08 07 94 10 45 02 23 73 f5", "4901542032375"),
    ("50 08 07 a4 10 45 02 23 73 15", "4*015420323751"),
    ("50 03 02 bc ed", "a#bc"),
    ("50 08 07 94 10 4f 02 23 73 15", "4901F420323751"),
    ("50 0a 09 94 10 45 02 23 73 15 21 43", "490154203237511\u{2026}"),
  ])
  func `what is no IMEI is reported as it came`(element: String, text: String) throws {
    let check = try #require(Self.check("\(Self.imsi) \(element)"))
    guard case .query(let query) = check.question else { return #expect(Bool(false)) }
    #expect(query.identity == .unusable(UnusableIdentity(text)))
  }

  /// osmo-hlr 1.5.0 answers the same error to the first ones, and none at all to the last three.
  @Test(arguments: [
    ("\(imsi)", GSUPCause.invalidMandatoryInformation),
    ("\(imsi) 50 00", .invalidMandatoryInformation),
    ("\(imsi) 50 01 00", .invalidMandatoryInformation),
    ("\(imsi) 50 03 01 ff ff", .invalidMandatoryInformation),
    ("01 03 21 43 f5 \(imei)", .invalidMandatoryInformation),
    ("01 08 21 43 65 87 09 21 43 65 \(imei)", .invalidMandatoryInformation),
    ("01 08 21 43 65 87 09 21 43 fa \(imei)", .invalidMandatoryInformation),
    ("01 00 \(imei)", .invalidMandatoryInformation),
    ("\(imsi) 50 08 07 94 10 45 02 23 73", .protocolErrorUnspecified),
    ("\(imsi) \(imei) 0a", .protocolErrorUnspecified),
    ("\(imsi) \(imei) 0a 02 01", .protocolErrorUnspecified),
  ])
  func `an ill-formed request is answered by an error`(elements: String, cause: GSUPCause) throws {
    let check = try #require(Self.check(elements))
    #expect(check.question == .illFormed(cause))
  }

  @Test(arguments: [
    "", "01", "01 08 21", imei, "01 09 21 43 65 87 09 21 43 65 87", "02 01 60 \(imsi) \(imei)",
  ])
  func `without an IMSI to answer to there is no answer`(elements: String) {
    #expect(isCheckRequest(ipa("30 " + elements)))
    #expect(Self.check(elements) == nil)
  }

  @Test func `more than the limits allow is an error`() throws {
    let many = String(repeating: " f0 00", count: GSUPCheck.mostElements)
    #expect(
      try #require(Self.check(Self.imsi + many)).question == .illFormed(.protocolErrorUnspecified))
    let value = " f0 ff" + String(repeating: " 00", count: 255)
    let long = String(repeating: value, count: GSUPCheck.longestMessage / 257 + 1)
    let check = try #require(Self.check("\(Self.imsi) \(Self.imei)" + long))
    #expect(check.question == .illFormed(.protocolErrorUnspecified))
  }

  @Test(arguments: [
    (CheckAnswer.white, GSUPUnknown.refuse, GSUPAnswer.accepted),
    (.grey, .refuse, .accepted),
    (.black, .allow, .refused),
    (.unknown, .allow, .accepted),
    (.unknown, .refuse, .refused),
  ])
  func `only black, and unknown where it is set, is refused`(
    answer: CheckAnswer, unknown: GSUPUnknown, sent: GSUPAnswer
  ) {
    #expect(GSUPAnswer(answer, unknown: unknown) == sent)
  }

  @Test func `the subscriber is in no description`() throws {
    let check = try #require(Self.check("\(Self.imsi) \(Self.imei)"))
    var text = ""
    dump(check, to: &text)
    text += String(describing: check) + String(reflecting: check)
    #expect(!text.contains("12345") && !text.contains("33"))
  }
}

/// The envelope. libosmocore, `gsm/protocol/ipaccess.h`.
struct IPATests {
  @Test func `the length of a message is known from its third octet on`() {
    #expect(messageOctets([0x00, 0x01]) == nil)
    #expect(messageOctets([0x00, 0x01, 0xFE]) == 4)
    #expect(messageOctets([0x00, 0x00, 0xFE]) == 3)
    #expect(messageOctets([0xFF, 0xFF, 0x00, 0x00]) == IPA.longestMessage)
  }

  @Test(arguments: [
    ("00 02 ee 05 30", true), ("00 02 ee 05 31", false), ("00 02 ee 06 30", false),
    ("00 02 fe 05 30", false), ("00 01 ee 05", false), ("00 00 ee", false), ("", false),
  ])
  func `only a Check-IMEI request of GSUP is one`(message: String, isRequest: Bool) {
    #expect(isCheckRequest(octets(message)) == isRequest)
  }

  @Test func `nothing that arrives makes a reader fail`() throws {
    let seed = UInt64.random(in: 0 ... .max)
    print("seed \(seed)")
    var chance = SeededGenerator(seed: seed)
    let whole = octets("30 01 08 21 43 65 87 09 21 43 f5 50 08 07 94 10 45 02 23 73 15 0a 01 01")
    var (read, unread) = (0, 0)
    for round in 0..<20_000 {
      var gsup = whole
      if round % 2 == 0 {
        gsup = Array(gsup.prefix(.random(in: 0...gsup.count, using: &chance)))
      }
      for _ in 0..<Int.random(in: 0...3, using: &chance) where !gsup.isEmpty {
        gsup[.random(in: 0..<gsup.count, using: &chance)] = .random(in: 0...255, using: &chance)
      }
      if round % 5 == 0 {
        gsup = (0..<Int.random(in: 0...300, using: &chance)).map { _ in
          .random(in: 0...255, using: &chance)
        }
        if !gsup.isEmpty { gsup[0] = 0x30 }
      }
      let message = ipa(gsup)
      guard let check = GSUPCheck(message) else {
        unread += 1
        continue
      }
      read += 1
      for answer in [GSUPAnswer.accepted, .refused, .error(.protocolErrorUnspecified)] {
        let sent = check.message(answer)
        #expect(messageOctets(sent) == sent.count)
      }
    }
    #expect(read > 1_000 && unread > 1_000)
  }
}

// A span cannot be given to the macros.

private func isCheckRequest(_ message: [UInt8]) -> Bool { GSUPCheck.isRequest(message.span) }

private func messageOctets(_ octets: [UInt8]) -> Int? { IPA.messageOctets(octets.span) }

/// From hexadecimal digits with spaces between the octets.
private func octets(_ text: String) -> [UInt8] {
  text.split(separator: " ").map { UInt8($0, radix: 16)! }
}

private func ipa(_ gsup: String) -> [UInt8] { ipa(octets(gsup)) }

private func ipa(_ gsup: [UInt8]) -> [UInt8] {
  let payload = gsup.count + 1
  return [UInt8(payload >> 8), UInt8(payload & 0xFF), 0xEE, 0x05] + gsup
}

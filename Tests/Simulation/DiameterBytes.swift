/// Diameter messages as bytes, written from RFC 6733 without the product's own code.
package enum DiameterBytes {
  package static func avp(
    _ code: UInt32, vendor: UInt32 = 0, flags: UInt8 = 0x40, _ data: [UInt8]
  ) -> [UInt8] {
    let isVendors = vendor != 0
    let length = UInt32((isVendors ? 12 : 8) + data.count)
    var bytes = word(code) + word(UInt32(isVendors ? flags | 0x80 : flags) << 24 | length)
    if isVendors { bytes += word(vendor) }
    return bytes + data + [UInt8](repeating: 0, count: (4 - data.count % 4) % 4)
  }

  package static func avp(
    _ code: UInt32, vendor: UInt32 = 0, flags: UInt8 = 0x40, _ text: String
  ) -> [UInt8] {
    avp(code, vendor: vendor, flags: flags, Array(text.utf8))
  }

  package static func avp(
    _ code: UInt32, vendor: UInt32 = 0, flags: UInt8 = 0x40, number: UInt32
  ) -> [UInt8] {
    avp(code, vendor: vendor, flags: flags, word(number))
  }

  package static func message(
    _ command: UInt32, application: UInt32, flags: UInt8, number: UInt32 = 1, _ avps: [[UInt8]],
    version: UInt8 = 1, length: Int? = nil
  ) -> [UInt8] {
    let body = avps.flatMap(\.self)
    return word(UInt32(version) << 24 | UInt32(length ?? 20 + body.count))
      + word(UInt32(flags) << 24 | command) + word(application) + word(number)
      + word(number | 0x8000_0000) + body
  }

  package static func word(_ number: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
  }

  /// 16777252 with its vendor, in Vendor-Specific-Application-Id. TS 29.272, 7.1.8.
  package static let s13Application = avp(
    260, avp(266, number: 10_415) + avp(258, number: 16_777_252))

  /// Capabilities-Exchange-Request. RFC 6733, 5.3.1.
  package static func capabilities(
    host: String = "mme1.example.org", realm: String = "example.org", number: UInt32 = 1,
    applications: [[UInt8]] = [s13Application], more: [[UInt8]] = []
  ) -> [UInt8] {
    message(
      257, application: 0, flags: 0x80, number: number,
      [
        avp(264, host), avp(296, realm), avp(257, [0, 1, 127, 0, 0, 1]), avp(266, number: 10_415),
        avp(269, flags: 0, "a test"),
      ] + applications + more)
  }

  /// The AVPs of an ME-Identity-Check-Request, by their code. TS 29.272, 7.2.19.
  package static func check(
    imei: String = "49015420323751", softwareVersion: String? = nil, imsi: String? = nil
  ) -> [(code: UInt32, bytes: [UInt8])] {
    var terminal = avp(1402, vendor: 10_415, imei)
    if let softwareVersion { terminal += avp(1403, vendor: 10_415, softwareVersion) }
    var avps: [(code: UInt32, bytes: [UInt8])] = [
      (263, avp(263, "mme1.example.org;1;2")), (260, s13Application),
      (277, avp(277, number: 1)), (264, avp(264, "mme1.example.org")),
      (296, avp(296, "example.org")), (283, avp(283, "example.org")),
      (1401, avp(1401, vendor: 10_415, terminal)),
    ]
    if let imsi { avps.append((1, avp(1, imsi))) }
    return avps
  }

  package static func checkRequest(
    _ avps: [(code: UInt32, bytes: [UInt8])] = check(), number: UInt32 = 2, flags: UInt8 = 0xC0
  ) -> [UInt8] {
    message(324, application: 16_777_252, flags: flags, number: number, avps.map(\.bytes))
  }
}

/// A message read without the product's own code.
package struct DiameterReading: Hashable, Sendable {
  package struct Item: Hashable, Sendable {
    package let code: UInt32
    package let vendor: UInt32
    package let flags: UInt8
    package let data: [UInt8]

    package var number: UInt32? {
      data.count == 4 ? data.reduce(0) { $0 << 8 | UInt32($1) } : nil
    }
    package var text: String { String(decoding: data, as: UTF8.self) }
    package var items: [Item]? { DiameterReading.items(data[...]) }
  }

  package let flags: UInt8
  package let command: UInt32
  package let application: UInt32
  package let hopByHop: UInt32
  package let endToEnd: UInt32
  package let items: [Item]

  /// Nil where the bytes are not one whole well-formed message.
  ///
  /// - Parameter padding: whether it may be other than zero, as in what is copied from a peer.
  package init?(_ bytes: [UInt8], anyPadding padding: Bool = false) {
    guard bytes.count >= 20, bytes[0] == 1, Self.number(bytes[1..<4]) == bytes.count else {
      return nil
    }
    flags = bytes[4]
    command = UInt32(Self.number(bytes[5..<8]))
    application = UInt32(Self.number(bytes[8..<12]))
    hopByHop = UInt32(Self.number(bytes[12..<16]))
    endToEnd = UInt32(Self.number(bytes[16..<20]))
    guard let items = Self.items(bytes[20...], anyPadding: padding) else { return nil }
    self.items = items
  }

  package subscript(_ code: UInt32) -> Item? { items.first { $0.code == code } }
  package var resultCode: UInt32? { self[268]?.number }
  package var experimentalCode: UInt32? {
    self[297]?.items?.first { $0.code == 298 }?.number
  }
  package var equipmentStatus: UInt32? { self[1445]?.number }

  /// The whole messages at the front, and what is left.
  package static func split(_ bytes: [UInt8]) -> (messages: [[UInt8]], rest: [UInt8]) {
    var (messages, rest): ([[UInt8]], ArraySlice<UInt8>) = ([], bytes[...])
    while rest.count >= 20 {
      let length = number(rest.dropFirst().prefix(3))
      guard length >= 20, rest.count >= length else { break }
      messages.append(Array(rest.prefix(length)))
      rest = rest.dropFirst(length)
    }
    return (messages, Array(rest))
  }

  private static func items(
    _ bytes: ArraySlice<UInt8>, anyPadding: Bool = true
  ) -> [Item]? {
    var (items, rest): ([Item], ArraySlice<UInt8>) = ([], bytes)
    while !rest.isEmpty {
      guard rest.count >= 8 else { return nil }
      let head = Array(rest.prefix(12))
      let flags = head[4]
      let length = number(head[5..<8])
      let headLength = flags & 0x80 == 0 ? 8 : 12
      let padded = (length + 3) / 4 * 4
      guard length >= headLength, padded <= rest.count else { return nil }
      let data = Array(rest.dropFirst(headLength).prefix(length - headLength))
      let padding = rest.dropFirst(length).prefix(padded - length)
      guard anyPadding || padding.allSatisfy({ $0 == 0 }) else { return nil }
      items.append(
        Item(
          code: UInt32(number(head[0..<4])),
          vendor: headLength == 12 ? UInt32(number(head[8..<12])) : 0, flags: flags, data: data))
      rest = rest.dropFirst(padded)
    }
    return items
  }

  private static func number(_ bytes: some Collection<UInt8>) -> Int {
    bytes.reduce(0) { $0 << 8 | Int($1) }
  }
}

/// Where an AVP stands in a message. RFC 6733, 4.1. Nothing is copied.
package struct AVP: Hashable, Sendable {
  /// Without and with a vendor.
  static let headerBytes = 8
  static let vendorHeaderBytes = 12

  package struct Flags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let vendorSpecific = Flags(rawValue: 0x80)
    /// M: who does not know this AVP must refuse the message.
    package static let mandatory = Flags(rawValue: 0x40)
    /// P: protection end to end, which RFC 6733 has given up.
    static let protected = Flags(rawValue: 0x20)
    static let known: Flags = [.vendorSpecific, .mandatory, .protected]
  }

  package let code: AVPKey
  package let flags: Flags
  /// From the first byte of the message.
  package let offset: Int
  /// Header and data, without padding.
  package let length: Int

  package var data: Range<Int> { offset + headerLength..<offset + length }
  /// Header, data and padding.
  package var whole: Range<Int> { offset..<end }
  /// Where the next one begins.
  package var end: Int { offset + (length + 3) & ~3 }

  private var headerLength: Int {
    flags.contains(.vendorSpecific) ? Self.vendorHeaderBytes : Self.headerBytes
  }

  /// Reads the header of the AVP at `offset`.
  ///
  /// - Parameter limit: where the message, or the AVP around this one, ends.
  /// - Throws: 5014 where the length cannot be, 3009 where a flag has no meaning.
  package init(
    in message: RawSpan, at offset: Int, upTo limit: Int
  ) throws(DiameterRefusal) {
    guard limit - offset >= Self.headerBytes else {
      throw DiameterRefusal(.invalidAVPLength, .cutHeader(offset..<limit))
    }
    let second = message.word(at: offset + 4)
    self.offset = offset
    flags = Flags(rawValue: UInt8(second >> 24))
    length = Int(second & 0xFF_FFFF)
    let code = message.word(at: offset)
    guard flags.contains(.vendorSpecific) else {
      self.code = AVPKey(code)
      try check(limit)
      return
    }
    guard limit - offset >= Self.vendorHeaderBytes else {
      throw DiameterRefusal(.invalidAVPLength, .cutHeader(offset..<limit))
    }
    self.code = AVPKey(code, vendor: message.word(at: offset + 8))
    try check(limit)
  }

  private func check(_ limit: Int) throws(DiameterRefusal) {
    // The padding may be missing only in a message whose own length is wrong.
    guard length >= headerLength, end <= limit else {
      throw DiameterRefusal(.invalidAVPLength, .header(code, flags: flags.rawValue))
    }
    guard flags.isSubset(of: .known) else {
      throw DiameterRefusal(.invalidAVPBits, .copy(whole))
    }
  }

  /// Unsigned32, Integer32 and Enumerated. RFC 6733, 4.2.
  package func number(in message: RawSpan) throws(DiameterRefusal) -> UInt32 {
    guard data.count == 4 else {
      throw DiameterRefusal(.invalidAVPLength, .copy(whole))
    }
    return message.word(at: data.lowerBound)
  }

  /// OctetString and what is derived from it: the text of a DiameterIdentity, with its limit.
  package func identity(in message: RawSpan) throws(DiameterRefusal) -> DiameterIdentity {
    guard let identity = DiameterIdentity(message.extracting(data)) else {
      throw DiameterRefusal(.invalidAVPValue, .copy(whole))
    }
    return identity
  }

  /// Calls `body` with each AVP within this one (Grouped, RFC 6733, 4.4).
  package func members(
    in message: RawSpan, _ body: (AVP) throws(DiameterRefusal) -> Void
  ) throws(DiameterRefusal) {
    try Self.each(in: message, from: data.lowerBound, upTo: data.upperBound, body)
  }

  /// Calls `body` with each AVP of a message.
  package static func each(
    in message: RawSpan, from start: Int, upTo end: Int,
    _ body: (AVP) throws(DiameterRefusal) -> Void
  ) throws(DiameterRefusal) {
    var offset = start
    while offset < end {
      let avp = try AVP(in: message, at: offset, upTo: end)
      try body(avp)
      offset = avp.end
    }
  }
}

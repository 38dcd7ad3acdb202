/// The first 20 bytes of every message. RFC 6733, 3.
package struct DiameterHeader: Hashable, Sendable {
  package static let bytes = 20
  static let version: UInt8 = 1

  /// Command flags. The low four bits are reserved and not looked at.
  package struct Flags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let request = Flags(rawValue: 0x80)
    package static let proxiable = Flags(rawValue: 0x40)
    package static let error = Flags(rawValue: 0x20)
    /// T: the sender may have sent this before. The answer is the same.
    package static let retransmitted = Flags(rawValue: 0x10)
  }

  package var version: UInt8 = Self.version
  /// Of the whole message, padding included.
  package var length: Int
  package var flags: Flags
  package var command: CommandCode
  package var application: ApplicationID
  package var hopByHop: UInt32
  package var endToEnd: UInt32

  package init(
    flags: Flags, command: CommandCode, application: ApplicationID, hopByHop: UInt32,
    endToEnd: UInt32, length: Int = 0
  ) {
    self.flags = flags
    self.command = command
    self.application = application
    self.hopByHop = hopByHop
    self.endToEnd = endToEnd
    self.length = length
  }

  /// - Precondition: ``bytes`` bytes are there from `offset` on.
  init(in message: RawSpan, at offset: Int) {
    let first = message.word(at: offset)
    let second = message.word(at: offset + 4)
    version = UInt8(first >> 24)
    length = Int(first & 0xFF_FFFF)
    flags = Flags(rawValue: UInt8(second >> 24))
    command = CommandCode(rawValue: second & 0xFF_FFFF)
    application = ApplicationID(rawValue: message.word(at: offset + 8))
    hopByHop = message.word(at: offset + 12)
    endToEnd = message.word(at: offset + 16)
  }

  package var isRequest: Bool { flags.contains(.request) }

  /// Of the answer to this request: the proxiable bit is kept, the others go. RFC 6733, 6.2.
  package func answer(isError: Bool = false) -> DiameterHeader {
    var flags = flags.intersection(.proxiable)
    if isError { flags.insert(.error) }
    return DiameterHeader(
      flags: flags, command: command, application: application, hopByHop: hopByHop,
      endToEnd: endToEnd)
  }
}

/// What stands at the front of the bytes that have come.
package enum MessageFrame: Equatable, Sendable {
  /// More bytes are needed.
  case incomplete
  case message(DiameterHeader)
  /// Where the next message begins cannot be known: the connection must end.
  case broken(DiameterHeader, DiameterRefusal)

  /// - Parameter mostBytes: of a whole message.
  package init(in received: RawSpan, at offset: Int, mostBytes: Int) {
    guard received.byteCount - offset >= DiameterHeader.bytes else {
      self = .incomplete
      return
    }
    let header = DiameterHeader(in: received, at: offset)
    guard header.version == DiameterHeader.version else {
      self = .broken(header, DiameterRefusal(.unsupportedVersion))
      return
    }
    guard header.length >= DiameterHeader.bytes, header.length % 4 == 0,
      header.length <= mostBytes
    else {
      self = .broken(header, DiameterRefusal(.invalidMessageLength))
      return
    }
    self = received.byteCount - offset < header.length ? .incomplete : .message(header)
  }
}

extension RawSpan {
  /// Four bytes in network order.
  package func word(at offset: Int) -> UInt32 {
    UInt32(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  package func byte(at offset: Int) -> UInt8 {
    unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }
}

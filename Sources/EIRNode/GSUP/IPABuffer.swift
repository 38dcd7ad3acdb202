import EquipmentCheck
import NIOCore

/// Makes whole messages of what comes in pieces. Holds one unfinished message and what came with
/// it in one read.
struct IPABuffer {
  private var pending = ByteBuffer()

  mutating func append(_ octets: ByteBuffer) {
    if pending.readableBytes == 0 {
      pending = octets
    } else {
      pending.discardReadBytes()
      pending.writeImmutableBuffer(octets)
    }
  }

  /// The next whole message, with its envelope.
  mutating func next() -> ByteBuffer? {
    guard let octets = IPA.messageOctets(pending.readableBytesUInt8Span) else { return nil }
    return pending.readSlice(length: octets)
  }
}

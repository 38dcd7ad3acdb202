/// Writes header lines so that they depend on no table: made once, they can be sent on any
/// connection. RFC 7541, 6.2.2 and appendix A.
struct HeaderBlock: Sendable {
  /// A dynamic table of size 0: sent first on a connection, it keeps the peer's decoder in step
  /// whatever table size it sets. RFC 7541, 6.3.
  static let noTable: UInt8 = 0x20

  private(set) var bytes: [UInt8] = []

  init(status: Int) {
    switch status {
    case 200: bytes = [0x88]
    case 204: bytes = [0x89]
    case 206: bytes = [0x8A]
    case 304: bytes = [0x8B]
    case 400: bytes = [0x8C]
    case 404: bytes = [0x8D]
    case 500: bytes = [0x8E]
    default: add(nameAt: 8, String(status))
    }
  }

  private init() {}

  static func date(_ value: String) -> HeaderBlock {
    var block = HeaderBlock()
    block.add(nameAt: 33, value)
    return block
  }

  mutating func add(_ name: String, _ value: String) {
    switch name {
    case "allow": add(nameAt: 22, value)
    case "content-length": add(nameAt: 28, value)
    case "content-type": add(nameAt: 31, value)
    default:
      bytes.append(0)
      append(text: name)
      append(text: value)
    }
  }

  private mutating func add(nameAt index: Int, _ value: String) {
    append(index, prefixBits: 4)
    append(text: value)
  }

  private mutating func append(text: String) {
    append(text.utf8.count, prefixBits: 7)
    bytes += text.utf8
  }

  /// RFC 7541, 5.1.
  private mutating func append(_ number: Int, prefixBits: Int) {
    let most = 1 << prefixBits - 1
    guard number >= most else {
      bytes.append(UInt8(number))
      return
    }
    bytes.append(UInt8(most))
    var rest = number - most
    while rest >= 128 {
      bytes.append(UInt8(rest & 127 | 128))
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

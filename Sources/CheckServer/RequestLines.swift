import NIOHPACK

/// Whether a header block is a well-formed request, and what it asks. RFC 9113, 8.2 and 8.3.
struct RequestLines {
  private(set) var method = ""
  private(set) var target = ""
  /// What `content-length` announces.
  private(set) var announcedBytes: Int?
  /// As RFC 9113, 6.5.2 counts a header list.
  private(set) var listBytes = 0
  private var seen: UInt8 = 0

  private enum Pseudo: UInt8 {
    case method = 1
    case path = 2
    case scheme = 4
    case authority = 8
  }

  /// Nil where the request is malformed.
  init?(_ headers: HPACKHeaders) {
    var isInFields = false
    for (name, value, _) in headers {
      guard Self.isValue(value) else { return nil }
      listBytes += name.utf8.count + value.utf8.count + 32
      if name.utf8.first == UInt8(ascii: ":") {
        guard !isInFields, takePseudo(name, value) else { return nil }
      } else {
        isInFields = true
        guard Self.isName(name), takeField(name, value) else { return nil }
      }
    }
    let required: [Pseudo] = method == "CONNECT" ? [.authority] : [.path, .scheme]
    guard !method.isEmpty, required.allSatisfy({ seen & $0.rawValue != 0 }) else { return nil }
    if method == "CONNECT" {
      guard seen & (Pseudo.path.rawValue | Pseudo.scheme.rawValue) == 0 else { return nil }
    } else {
      guard !target.isEmpty else { return nil }
    }
  }

  private mutating func takePseudo(_ name: String, _ value: String) -> Bool {
    let pseudo: Pseudo
    switch name {
    case ":method":
      pseudo = .method
      method = value
    case ":path":
      pseudo = .path
      target = value
    case ":scheme": pseudo = .scheme
    case ":authority": pseudo = .authority
    default: return false
    }
    guard seen & pseudo.rawValue == 0 else { return false }
    seen |= pseudo.rawValue
    return true
  }

  private mutating func takeField(_ name: String, _ value: String) -> Bool {
    switch name {
    case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
      return false
    case "te":
      return value == "trailers"
    case "content-length":
      guard value.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let bytes = Int(value) else {
        return false
      }
      guard announcedBytes == nil || announcedBytes == bytes else { return false }
      announcedBytes = bytes
      return true
    default:
      return true
    }
  }

  /// A trailer section has no pseudo-header.
  static func areTrailers(_ headers: HPACKHeaders) -> Bool {
    headers.allSatisfy { isName($0.name) && isValue($0.value) }
  }

  /// A token of RFC 9110, 5.6.2, without capitals.
  private static func isName(_ name: String) -> Bool {
    guard !name.isEmpty else { return false }
    return name.utf8.allSatisfy { isTokenByte($0) && !(0x41...0x5A ~= $0) }
  }

  static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x61...0x7A, 0x2D, 0x30...0x39, 0x41...0x5A: true
    case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
    default: false
    }
  }

  private static func isValue(_ value: String) -> Bool {
    for byte in value.utf8 where byte == 0 || byte == 0x0A || byte == 0x0D { return false }
    guard let first = value.utf8.first, let last = value.utf8.last else { return true }
    return first != 0x20 && first != 0x09 && last != 0x20 && last != 0x09
  }
}

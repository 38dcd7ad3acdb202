import DeviceIdentity
package import DeviceLists

/// N5g-eir_EquipmentIdentityCheck: what an AMF asks about a device. TS 29.511.
///
/// Nothing is decided here: bytes become a question, and an answer becomes bytes.
package struct N17: Sendable {
  private static let resource = "/n5g-eir-eic/v1/equipment-status"

  private let path: [UInt8]

  /// - Parameter apiPrefix: what stands in `{apiRoot}` after the authority, such as `/eir`; usually
  ///   nothing. TS 29.501, 4.4.1.
  package init(apiPrefix: String = "") { path = Array((apiPrefix + Self.resource).utf8) }

  /// Reads `GET …/equipment-status?pei=…`.
  ///
  /// - Parameters:
  ///   - target: path and query as sent, percent-encoded.
  ///   - accept: the value of the `accept` header, where there was one.
  package func query(
    method: String, target: Span<UInt8>, accept: String? = nil
  ) throws(N17Refusal) -> CheckQuery {
    let question = target.firstIndex(of: UInt8(ascii: "?"), from: 0) ?? target.count
    let isOurs = isResource(target.extracting(0..<question))
    guard isOurs || method == "CONNECT" else { throw .unknownResource }
    guard method == "GET" || method == "HEAD" else { throw .methodNotAllowed }
    if let accept, !Self.isAcceptable(accept) { throw .notAcceptable }
    let start = min(question + 1, target.count)
    return try N17Parameters(target.extracting(start..<target.count)).query()
  }

  private func isResource(_ sent: Span<UInt8>) -> Bool {
    if sent.elementsEqual(path) { return true }
    guard sent.firstIndex(of: UInt8(ascii: "%"), from: 0) != nil else { return false }
    guard let decoded = PercentEncoding.decoded(sent) else { return false }
    return decoded == path
  }

  private static func isAcceptable(_ accept: String) -> Bool {
    let ranges = MediaRanges(accept)
    return ranges.allow("application/json") || ranges.allow("application/problem+json")
  }
}

extension Span<UInt8> {
  func firstIndex(of byte: UInt8, from start: Int) -> Int? {
    var index = start
    while index < count {
      if self[index] == byte { return index }
      index += 1
    }
    return nil
  }

  func elementsEqual(_ other: [UInt8]) -> Bool {
    guard count == other.count else { return false }
    for index in 0..<count where self[index] != other[index] { return false }
    return true
  }

  func starts(with prefix: StaticString) -> Bool {
    guard count >= prefix.utf8CodeUnitCount else { return false }
    for index in 0..<prefix.utf8CodeUnitCount where self[index] != prefix.utf8Start[index] {
      return false
    }
    return true
  }

  func equals(_ text: StaticString) -> Bool {
    count == text.utf8CodeUnitCount && starts(with: text)
  }
}

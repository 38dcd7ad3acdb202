import DeviceIdentity
package import DeviceLists

/// N5g-eir_EquipmentIdentityCheck: what an AMF asks about a device. TS 29.511.
///
/// Nothing is decided here: bytes become a question, and an answer becomes bytes.
package struct N17: Sendable {
  /// Its name in paths, and the scope of access tokens for it. TS 29.511, 6.1.1 and 6.1.9.
  package static let service = "n5g-eir-eic"
  private static let version = "v1"

  private let prefix: String
  private let path: [UInt8]

  /// - Parameter apiPrefix: what stands in `{apiRoot}` after the authority, such as `/eir`; usually
  ///   nothing. TS 29.501, 4.4.1.
  package init(apiPrefix: String = "") {
    prefix = apiPrefix
    path = Array("\(apiPrefix)/\(Self.service)/\(Self.version)/equipment-status".utf8)
  }

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
    guard isOurs || method == "CONNECT" else {
      throw namesAnotherAPI(target.extracting(0..<question)) ? .unknownAPI : .unknownResource
    }
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

  /// Whether a path has the form `{apiRoot}/NAME/vN…`, and another name or version than ours.
  /// TS 29.501, 4.4.1.
  private func namesAnotherAPI(_ sent: Span<UInt8>) -> Bool {
    var text = ""
    for index in 0..<sent.count { text.unicodeScalars.append(Unicode.Scalar(sent[index])) }
    guard text.hasPrefix(prefix + "/") else { return false }
    let segments = text.dropFirst(prefix.count + 1)
      .split(separator: "/", omittingEmptySubsequences: false)
    guard segments.count >= 2, !segments[0].isEmpty, segments[1].first == "v" else { return false }
    let number = segments[1].dropFirst()
    guard !number.isEmpty, number.allSatisfy({ ("0"..."9").contains($0) }) else { return false }
    return segments[0] != Self.service || segments[1] != Self.version
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

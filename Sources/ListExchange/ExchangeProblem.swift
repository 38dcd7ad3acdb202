package import DeviceLists

/// A refusal as a problem document (RFC 9457) with our code as an extension member.
package struct ExchangeProblem: Hashable, Sendable {
  package var error: ExchangeError
  /// Where the registry stands, with ``ExchangeCode/epochChanged`` and ``ExchangeCode/nodeAhead``;
  /// where the node stands, with ``ExchangeCode/standsElsewhere``.
  package var epoch: Epoch?
  package var position: Position?
  /// With ``ExchangeCode/standsElsewhere`` only.
  package var digest: ListDigest?

  package init(
    _ error: ExchangeError, epoch: Epoch? = nil, position: Position? = nil,
    digest: ListDigest? = nil
  ) {
    self.error = error
    self.epoch = epoch
    self.position = position
    self.digest = digest
  }

  /// A node's answer to a broadcast that does not begin where it stands.
  package init(standing: Standing?, detail: String = "") {
    self.init(
      ExchangeError(.standsElsewhere, detail), epoch: standing?.epoch,
      position: standing?.position, digest: standing?.digest)
  }

  /// Where the node stands; nil where it has no list.
  package var standing: Standing? {
    guard let epoch, let position, let digest else { return nil }
    return Standing(epoch: epoch, position: position, digest: digest)
  }
}

extension ExchangeProblem: JSONMessage {
  package func write(into text: inout JSONText) {
    text.member("type", "/exchange/v1/codes#\(error.code.rawValue)")
    text.member("title", error.code.title)
    text.member("status", UInt64(error.code.httpStatus))
    if !error.detail.isEmpty { text.member("detail", error.detail) }
    text.member("code", UInt64(error.code.rawValue))
    if let epoch { text.member("epoch", epoch.description) }
    if let position { text.member("position", position.number) }
    if let digest { text.member("digest", digest.description) }
  }

  /// A code that this version does not know is refused: the caller goes by the HTTP status then.
  package init(_ object: JSONValue) throws(ExchangeError) {
    let number = try object.number("code")
    guard let raw = UInt16(exactly: number), let code = ExchangeCode(rawValue: raw) else {
      throw ExchangeError(.unknownWord, "the code \(number)")
    }
    error = ExchangeError(code, object["detail"]?.text ?? "")
    epoch = try object.optional("epoch") { Epoch($0) }
    position = try object["position"].map { _ throws(ExchangeError) in
      try object.position("position")
    }
    digest = try object.optional("digest") { ListDigest($0) }
  }
}

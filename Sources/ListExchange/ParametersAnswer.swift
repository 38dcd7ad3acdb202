/// `GET /exchange/v1/parameters`.
package struct ParametersAnswer: Hashable, Sendable {
  package var inForce: ExchangeParameters
  /// A newer version, which the node is to confirm or which waits for its position.
  package var proposed: ExchangeParameters?

  package init(inForce: ExchangeParameters, proposed: ExchangeParameters? = nil) {
    self.inForce = inForce
    self.proposed = proposed
  }
}

extension ParametersAnswer: JSONMessage {
  package func write(into text: inout JSONText) {
    text.object("inForce", inForce)
    if let proposed { text.object("proposed", proposed) }
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    guard let inForce = try object.object("inForce", as: ExchangeParameters.self) else {
      throw object.unusable("inForce")
    }
    self.inForce = inForce
    proposed = try object.object("proposed")
  }
}

/// `POST /exchange/v1/parameters/confirmations`: the node agrees to this version.
package struct ParametersConfirmation: Hashable, Sendable {
  package var version: Int

  package init(version: Int) { self.version = version }
}

extension ParametersConfirmation: JSONRequest {
  package func write(into text: inout JSONText) {
    text.member("version", UInt64(clamping: version))
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    version = try object.count("version", 1...Int(Int32.max))
  }

  /// The answer to it: the same version with the state `confirmed`.
  package var confirmed: [UInt8] {
    var text = JSONText()
    text.open()
    write(into: &text)
    text.member("state", "confirmed")
    text.close()
    return text.bytes
  }
}

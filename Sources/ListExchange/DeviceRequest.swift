package import DeviceIdentity

/// `POST /exchange/v1/requests`: an operator wants a device of its subscriber blocked or unblocked.
package struct DeviceRequest: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    case block, unblock
  }

  package var kind: Kind
  package var imei: IMEI
  package var imsi: IMSI?
  /// In the operator's words.
  package var reason: String
  package var caseReference: String?

  package init(
    kind: Kind, imei: IMEI, imsi: IMSI? = nil, reason: String,
    caseReference: String? = nil
  ) {
    self.kind = kind
    self.imei = imei
    self.imsi = imsi
    self.reason = reason
    self.caseReference = caseReference
  }
}

extension DeviceRequest: JSONRequest {
  package func write(into text: inout JSONText) {
    text.member("kind", kind.rawValue)
    text.member("imei", imei.description)
    if let imsi { text.member("imsi", imsi.digits) }
    text.member("reason", reason)
    if let caseReference { text.member("caseReference", caseReference) }
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    kind = try object.word("kind") { Kind(rawValue: $0) }
    imei = try object.listedIMEI("imei")
    imsi = try object.imsi("imsi")
    guard let reason = try object.remark("reason", 1...ExchangeLimits.longestRemark) else {
      throw object.unusable("reason")
    }
    self.reason = reason
    caseReference = try object.remark(
      "caseReference", 0...ExchangeLimits.longestCaseReference)
  }
}

package import DeviceIdentity
package import DeviceLists

/// One device on an operator's own black list: a line of `PUT /exchange/v1/own-list`.
package struct OwnListEntry: Hashable, Sendable {
  package var imei: IMEI
  package var reason: String?
  package var caseReference: String?

  package init(imei: IMEI, reason: String? = nil, caseReference: String? = nil) {
    self.imei = imei
    self.reason = reason
    self.caseReference = caseReference
  }

  /// The body of `PUT`. One bad line refuses all, and the error names it.
  package static func lines(_ bytes: [UInt8]) throws(ExchangeError) -> [OwnListEntry] {
    try RecordLines.read(bytes, most: ExchangeLimits.mostOwnListLines)
  }
}

extension OwnListEntry: JSONMessage {
  package func write(into text: inout JSONText) {
    text.member("imei", imei.description)
    if let reason { text.member("reason", reason) }
    if let caseReference { text.member("caseReference", caseReference) }
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    imei = try object.listedIMEI("imei")
    reason = try object.remark("reason", 1...ExchangeLimits.longestRemark)
    caseReference = try object.remark(
      "caseReference", 0...ExchangeLimits.longestCaseReference)
  }
}

/// A line of `PATCH /exchange/v1/own-list`.
package struct OwnListChange: Hashable, Sendable {
  package enum Operation: String, Hashable, Sendable, CaseIterable {
    case add, remove
  }

  package var operation: Operation
  package var entry: OwnListEntry

  package init(_ operation: Operation, _ entry: OwnListEntry) {
    self.operation = operation
    self.entry = entry
  }

  /// The body of `PATCH`. One bad line refuses all, and the error names it.
  package static func lines(_ bytes: [UInt8]) throws(ExchangeError) -> [OwnListChange] {
    try RecordLines.read(bytes, most: ExchangeLimits.mostOwnListLines)
  }
}

extension OwnListChange: JSONMessage {
  package func write(into text: inout JSONText) {
    text.member("operation", operation.rawValue)
    entry.write(into: &text)
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    operation = try object.word("operation") { Operation(rawValue: $0) }
    entry = try OwnListEntry(object)
  }
}

/// What became of an operator's own list.
package struct OwnListAnswer: Hashable, Sendable {
  package var added: Int
  package var ended: Int
  package var unchanged: Int
  /// Where it is published, if that is known yet.
  package var position: Position?

  package init(added: Int, ended: Int, unchanged: Int, position: Position? = nil) {
    self.added = added
    self.ended = ended
    self.unchanged = unchanged
    self.position = position
  }
}

extension OwnListAnswer: JSONMessage {
  package func write(into text: inout JSONText) {
    text.member("added", UInt64(clamping: added))
    text.member("ended", UInt64(clamping: ended))
    text.member("unchanged", UInt64(clamping: unchanged))
    if let position { text.member("position", position.number) }
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    added = try object.count("added", 0...Int.max)
    ended = try object.count("ended", 0...Int.max)
    unchanged = try object.count("unchanged", 0...Int.max)
    position = try object["position"].map { _ throws(ExchangeError) in
      try object.position("position")
    }
  }
}

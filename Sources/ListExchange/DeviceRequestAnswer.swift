package import DeviceLists

/// How far an operator's request has come.
package struct DeviceRequestAnswer: Hashable, Sendable {
  package enum State: String, Hashable, Sendable, CaseIterable {
    /// Somebody of the registry has to decide.
    case pending
    /// Recorded; the lists follow.
    case accepted
    /// On the lists from a position on.
    case published
    case refused
  }

  package var request: RequestID
  package var state: State
  /// Where it was published.
  package var position: Position?
  /// Why it was refused.
  package var reason: String?

  package init(
    request: RequestID, state: State, position: Position? = nil, reason: String? = nil
  ) {
    self.request = request
    self.state = state
    self.position = position
    self.reason = reason
  }
}

extension DeviceRequestAnswer: JSONMessage {
  package func write(into text: inout JSONText) {
    text.member("request", request.description)
    text.member("state", state.rawValue)
    if let position { text.member("position", position.number) }
    if let reason { text.member("reason", reason) }
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    request = try object.member("request") { RequestID($0) }
    state = try object.word("state") { State(rawValue: $0) }
    position = try object["position"].map { _ throws(ExchangeError) in
      try object.position("position")
    }
    reason = try object.remark("reason", 1...ExchangeLimits.longestRemark)
  }
}

/// `GET /exchange/v1/requests?state=&after=`: oldest first.
package struct DeviceRequestList: Hashable, Sendable {
  package var requests: [DeviceRequestAnswer]
  /// Where there are more: `after` of the next question.
  package var next: RequestID?

  package init(requests: [DeviceRequestAnswer], next: RequestID? = nil) {
    self.requests = requests
    self.next = next
  }
}

extension DeviceRequestList: JSONMessage {
  package static var longestBytes: Int { ExchangeLimits.longestRequestListBytes }

  package func write(into text: inout JSONText) {
    text.array("requests", requests)
    if let next { text.member("next", next.description) }
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    requests = try object.objects("requests", most: ExchangeLimits.mostRequestsShown)
    next = try object.optional("next") { RequestID($0) }
  }
}

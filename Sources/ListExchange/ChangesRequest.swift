package import DeviceLists

/// `GET /exchange/v1/changes`: what a node asks for.
package struct ChangesRequest: Hashable, Sendable {
  package var epoch: Epoch
  package var after: Position
  /// The node's digest at ``after``; divergence is then noticed at every request.
  package var digest: ListDigest
  /// How long the registry may wait for something new: 0 to 55 s.
  package var waitSeconds: Int
  /// Delta after delta on one response, until the wait is over.
  package var isStream: Bool
  /// The changes are wanted although a snapshot would be cheaper.
  package var insists: Bool

  package init(
    epoch: Epoch, after: Position, digest: ListDigest, waitSeconds: Int = 0,
    isStream: Bool = false, insists: Bool = false
  ) {
    self.epoch = epoch
    self.after = after
    self.digest = digest
    self.waitSeconds = waitSeconds
    self.isStream = isStream
    self.insists = insists
  }

  /// Path and query.
  package var target: String {
    "\(ExchangePath.changes)?epoch=\(epoch)&after=\(after)&digest=\(digest)&wait=\(waitSeconds)"
      + (isStream ? "&stream=true" : "") + (insists ? "&insist=true" : "")
  }

  /// - Parameter parameter: the value of a query parameter by its name.
  package init(parameter: (String) -> String?) throws(ExchangeError) {
    func read<Value>(
      _ name: String, or absent: Value? = nil, _ parse: (String) -> Value?
    ) throws(ExchangeError) -> Value {
      let text = parameter(name)
      if text == nil, let absent { return absent }
      guard let text, let value = parse(text) else {
        throw ExchangeError(.badRequest, "the parameter \"\(name)\" is missing or unusable")
      }
      return value
    }
    epoch = try read("epoch") { Epoch($0) }
    let last = Position.last.number
    after = Position(try read("after") { text in UInt64(text).flatMap { $0 > last ? nil : $0 } })
    digest = try read("digest") { ListDigest($0) }
    isStream = try read("stream", or: false) { Bool($0) }
    insists = try read("insist", or: false) { Bool($0) }
    let allowed = 0...ExchangeLimits.longestWaitSeconds
    guard let seconds = Int(try read("wait", or: "0") { $0 }), allowed.contains(seconds) else {
      throw ExchangeError(.badRequest, "\"wait\" must be 0 to \(allowed.upperBound) seconds")
    }
    waitSeconds = seconds
  }
}

package import DeviceLists

/// `GET /exchange/v1/changes`: what a node asks for.
package struct ChangesRequest: Hashable, Sendable {
  package var epoch: Epoch
  package var after: Position
  /// The node's digest at ``after``; divergence is then noticed at every request.
  package var digest: ListDigest
  /// How long the registry may wait for something new: 0 to 55 s.
  package var waitSeconds: Int

  package init(epoch: Epoch, after: Position, digest: ListDigest, waitSeconds: Int = 0) {
    self.epoch = epoch
    self.after = after
    self.digest = digest
    self.waitSeconds = waitSeconds
  }

  /// Path and query.
  package var target: String {
    "\(ExchangePath.changes)?epoch=\(epoch)&after=\(after)&digest=\(digest)&wait=\(waitSeconds)"
  }

  /// - Parameter parameter: the value of a query parameter by its name.
  package init(parameter: (String) -> String?) throws(ExchangeError) {
    func read<Value>(
      _ name: String, _ parse: (String) -> Value?
    ) throws(ExchangeError) -> Value {
      guard let text = parameter(name), let value = parse(text) else {
        throw ExchangeError(.badRequest, "the parameter \"\(name)\" is missing or unusable")
      }
      return value
    }
    epoch = try read("epoch") { Epoch($0) }
    after = Position(try read("after") { UInt64($0) })
    digest = try read("digest") { ListDigest($0) }
    let allowed = 0...ExchangeLimits.longestWaitSeconds
    guard let wait = parameter("wait") else {
      waitSeconds = 0
      return
    }
    guard let seconds = Int(wait), allowed.contains(seconds) else {
      throw ExchangeError(.badRequest, "\"wait\" must be 0 to \(allowed.upperBound) seconds")
    }
    waitSeconds = seconds
  }
}

/// `GET /exchange/v1/status`: where the registry stands.
package struct RegistryStatus: Hashable, Sendable {
  package var registry: RegistryName
  package var epoch: Epoch
  package var position: Position

  package init(registry: RegistryName, epoch: Epoch, position: Position) {
    self.registry = registry
    self.epoch = epoch
    self.position = position
  }

  package var json: [UInt8] {
    var text = JSONText()
    text.open()
    text.member("registry", registry.description)
    text.member("epoch", epoch.description)
    text.member("position", position.number)
    text.close()
    return text.bytes
  }

  package init(json bytes: some Collection<UInt8>) throws(ExchangeError) {
    let object = try JSONValue(document: bytes)
    registry = try object.member("registry") { RegistryName($0) }
    epoch = try object.member("epoch") { Epoch($0) }
    position = Position(try object.number("position"))
  }
}

/// A refusal as a problem document (RFC 9457) with our code as an extension member.
package struct ExchangeProblem: Hashable, Sendable {
  package var error: ExchangeError
  /// Where the registry stands, with ``ExchangeCode/epochChanged`` and ``ExchangeCode/nodeAhead``.
  package var epoch: Epoch?
  package var position: Position?

  package init(_ error: ExchangeError, epoch: Epoch? = nil, position: Position? = nil) {
    self.error = error
    self.epoch = epoch
    self.position = position
  }

  package var json: [UInt8] {
    var text = JSONText()
    text.open()
    text.member("type", "/exchange/v1/codes#\(error.code.rawValue)")
    text.member("title", error.code.title)
    text.member("status", UInt64(error.code.httpStatus))
    if !error.detail.isEmpty { text.member("detail", error.detail) }
    text.member("code", UInt64(error.code.rawValue))
    if let epoch { text.member("epoch", epoch.description) }
    if let position { text.member("position", position.number) }
    text.close()
    return text.bytes
  }

  /// A code that this version does not know is refused: the caller goes by the HTTP status then.
  package init(json bytes: some Collection<UInt8>) throws(ExchangeError) {
    let object = try JSONValue(document: bytes)
    let number = try object.number("code")
    guard let raw = UInt16(exactly: number), let code = ExchangeCode(rawValue: raw) else {
      throw ExchangeError(.unknownWord, "the code \(number)")
    }
    error = ExchangeError(code, object["detail"]?.text ?? "")
    epoch = try object["epoch"].map { _ throws(ExchangeError) in
      try object.member("epoch") { Epoch($0) }
    }
    position = try object["position"].map { _ throws(ExchangeError) in
      Position(try object.number("position"))
    }
  }
}

extension JSONValue {
  fileprivate init(document bytes: some Collection<UInt8>) throws(ExchangeError) {
    guard bytes.count <= ExchangeLimits.longestDocumentBytes else {
      throw ExchangeError(.lineTooLong, "a document of \(bytes.count) bytes")
    }
    try self.init(bytes: bytes)
  }
}

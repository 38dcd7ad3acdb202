import DeviceLists

/// A message, or a part of one, that is a JSON object. Members that it does not know are passed
/// over; words that it does not know are refused.
package protocol JSONMessage: Hashable, Sendable {
  /// What a message of this kind is refused by when it cannot be understood.
  static var refusal: ExchangeCode { get }
  static var longestBytes: Int { get }
  init(_ object: JSONValue) throws(ExchangeError)
  /// The members.
  func write(into text: inout JSONText)
}

extension JSONMessage {
  package static var refusal: ExchangeCode { .malformed }
  package static var longestBytes: Int { ExchangeLimits.longestDocumentBytes }

  /// One JSON object without a line break.
  package var json: [UInt8] {
    var text = JSONText()
    text.open()
    write(into: &text)
    text.close()
    return text.bytes
  }

  /// Reads what ``json`` writes, in any spelling.
  package init(json bytes: some Collection<UInt8>) throws(ExchangeError) {
    guard bytes.count <= Self.longestBytes else {
      throw ExchangeError(.tooLarge, "over \(Self.longestBytes) bytes")
    }
    do throws(ExchangeError) {
      try self.init(JSONValue(bytes: bytes))
    } catch {
      throw error.code == .malformed ? ExchangeError(Self.refusal, error.detail) : error
    }
  }
}

/// A message by which somebody asks for something: refused as a request, not as a line.
package protocol JSONRequest: JSONMessage {}

extension JSONRequest {
  package static var refusal: ExchangeCode { .badRequest }
}

extension JSONText {
  mutating func object(_ name: StaticString, _ message: some JSONMessage) {
    open(name)
    message.write(into: &self)
    close()
  }

  mutating func array(_ name: StaticString, _ messages: some Sequence<some JSONMessage>) {
    openArray(name)
    for message in messages {
      open()
      message.write(into: &self)
      close()
    }
    closeArray()
  }
}

extension JSONValue {
  init(bytes: some Collection<UInt8>) throws(ExchangeError) {
    let array = ContiguousArray(bytes)
    let result = array.withUnsafeBytes { buffer in
      Result { () throws(ExchangeError) in try JSONValue(buffer) }
    }
    self = try result.get()
  }

  func unusable(_ name: String) -> ExchangeError {
    ExchangeError(.malformed, "no usable \"\(name)\"")
  }

  func member<Value>(_ name: String, _ read: (String) -> Value?) throws(ExchangeError) -> Value {
    guard let text = self[name]?.text, let value = read(text) else { throw unusable(name) }
    return value
  }

  /// Nil where the member is absent.
  func optional<Value>(
    _ name: String, _ read: (String) -> Value?
  ) throws(ExchangeError) -> Value? {
    guard self[name] != nil else { return nil }
    return try member(name, read)
  }

  /// A member that is one of a few words.
  func word<Word>(_ name: String, _ read: (String) -> Word?) throws(ExchangeError) -> Word {
    guard let text = self[name]?.text else { throw unusable(name) }
    guard let word = read(text) else {
      throw ExchangeError(.unknownWord, "a \"\(name)\" that this version does not know")
    }
    return word
  }

  func number(_ name: String) throws(ExchangeError) -> UInt64 {
    guard let number = self[name]?.whole else { throw unusable(name) }
    return number
  }

  func count(_ name: String, _ allowed: ClosedRange<Int>) throws(ExchangeError) -> Int {
    guard let number = Int(exactly: try number(name)), allowed.contains(number) else {
      throw ExchangeError(
        .malformed, "\"\(name)\" must be \(allowed.lowerBound) to \(allowed.upperBound)")
    }
    return number
  }

  /// A number beyond what a registry can count to is refused, not cut.
  func position(_ name: String) throws(ExchangeError) -> Position {
    let number = try number(name)
    guard number <= Position.last.number else { throw unusable(name) }
    return Position(number)
  }

  func object<Message: JSONMessage>(
    _ name: String, as type: Message.Type = Message.self
  ) throws(ExchangeError) -> Message? {
    guard let value = self[name] else { return nil }
    guard case .object = value else { throw unusable(name) }
    return try Message(value)
  }

  func objects<Message: JSONMessage>(
    _ name: String, most: Int
  ) throws(ExchangeError) -> [Message] {
    guard let values = self[name]?.array, values.count <= most else { throw unusable(name) }
    var messages: [Message] = []
    for value in values { messages.append(try Message(value)) }
    return messages
  }
}

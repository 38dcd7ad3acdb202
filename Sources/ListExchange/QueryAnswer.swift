/// The answer to `POST /exchange/v1/queries` and to `GET /exchange/v1/queries/{id}`: what came of
/// an asynchronous query.
package struct QueryAnswer: Hashable, Sendable {
  package var query: QueryID
  /// Nil while it is pending.
  package var answers: LUStatusAnswers?

  package init(query: QueryID, answers: LUStatusAnswers? = nil) {
    self.query = query
    self.answers = answers
  }

  /// - Parameter answer: as ``LUStatusEncoder`` has written it; nil while it is pending.
  package static func json(_ query: QueryID, answer: [UInt8]?) -> [UInt8] {
    var text = JSONText()
    text.open()
    text.member("query", query.description)
    text.member("state", answer == nil ? "pending" : "answered")
    if let answer { text.member("answer", json: answer) }
    text.close()
    return text.bytes
  }

  package init(json bytes: [UInt8]) throws(ExchangeError) {
    self = try JSONReader.read(bytes, most: ExchangeLimits.longestAnswersBytes) {
      (reader) throws(ExchangeError) in
      try QueryAnswer(&reader)
    }
  }

  private enum State: String {
    case pending, answered
  }

  private init(_ reader: inout JSONReader) throws(ExchangeError) {
    var answers: LUStatusAnswers?
    var members: [JSONValue.Member] = []
    try reader.members { (reader, name) throws(ExchangeError) in
      if name == "answer" {
        answers = try LUStatusAnswers(&reader)
      } else {
        members.append(JSONValue.Member(name: name, value: try reader.value()))
      }
    }
    let object = JSONValue.object(members)
    query = try object.member("query") { QueryID($0) }
    let state = try object.word("state") { State(rawValue: $0) }
    guard (answers != nil) == (state == .answered) else { throw object.unusable("answer") }
    self.answers = answers
  }
}

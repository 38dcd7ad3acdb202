/// What became of a node's file: the first of its two response files.
package struct InboundResponse: Hashable, Sendable {
  package enum State: String, Hashable, Sendable, CaseIterable {
    /// Each line has taken effect or stands among the refused ones.
    case processed
    /// Nothing of it has taken effect; the number is free for a better file.
    case refused
    /// It waits for one with a lower number.
    case waiting
  }

  /// Nil where the name has none.
  package var number: FileNumber?
  /// The name as it came, where it is none of ours.
  package var foreignName: String?
  package var state: State
  package var code: ExchangeCode?
  package var detail: String
  /// Lines.
  package var taken: Int
  package var refused: Int

  package init(
    number: FileNumber?, foreignName: String? = nil, state: State, code: ExchangeCode? = nil,
    detail: String = "", taken: Int = 0, refused: Int = 0
  ) {
    self.number = number
    self.foreignName = foreignName
    self.state = state
    self.code = code
    self.detail = detail
    self.taken = taken
    self.refused = refused
  }
}

extension InboundResponse: JSONMessage {
  package func write(into text: inout JSONText) {
    if let number { text.member("number", UInt64(number.number)) }
    if let foreignName { text.member("file", foreignName) }
    text.member("state", state.rawValue)
    if let code {
      text.member("code", UInt64(code.rawValue))
      text.member("title", code.title)
    }
    if !detail.isEmpty { text.member("detail", detail) }
    text.member("taken", UInt64(clamping: taken))
    text.member("refused", UInt64(clamping: refused))
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    number = try object["number"].map { _ throws(ExchangeError) in
      try object.fileNumber("number")
    }
    foreignName = try object.optional("file") { $0 }
    state = try object.word("state") { State(rawValue: $0) }
    code = try object["code"].map { _ throws(ExchangeError) in
      guard let code = UInt16(exactly: try object.number("code")).flatMap(ExchangeCode.init)
      else { throw ExchangeError(.unknownWord, "a code that this version does not know") }
      return code
    }
    detail = try object.optional("detail") { $0 } ?? ""
    taken = try object.count("taken", 0...Int.max)
    refused = try object.count("refused", 0...Int.max)
  }
}

/// The second response file: a line for each line that was refused.
package enum RefusalFile {
  package static let columns = ["line", "code", "detail"]

  package static func bytes(_ refusals: [LineRefusal]) -> [UInt8] {
    var text = columns.joined(separator: ",") + "\n"
    for refusal in refusals {
      text += "\(refusal.line),\(refusal.code),\(QuotedFields.written(refusal.detail))\n"
    }
    return Array(text.utf8)
  }
}

/// `POST /exchange/v1/files/resends`: a numbered file has not come, or was damaged.
package struct ResendRequest: Hashable, Sendable {
  /// Nine digits in a file's name.
  package static let numbersAllowed = 1...999_999_999

  package var number: Int

  package init(number: Int) { self.number = number }
}

extension ResendRequest: JSONRequest {
  package func write(into text: inout JSONText) {
    text.member("number", UInt64(clamping: number))
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    number = try object.count("number", Self.numbersAllowed)
  }
}

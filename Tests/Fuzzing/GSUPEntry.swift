import EquipmentCheck

/// The octets of one connection: message after message in its IPA envelope.
enum GSUPEntry {
  static func run(_ input: [UInt8]) -> Bool {
    var rest = input[...]
    var isUnderstood = false
    while let count = IPA.messageOctets(rest.span), count <= rest.count {
      let message = Array(rest.prefix(count))
      rest = rest.dropFirst(count)
      let isRequest = GSUPCheck.isRequest(message.span)
      guard let check = GSUPCheck(message) else { continue }
      precondition(isRequest, "what is no request was read as one")
      switch check.question {
      case .query:
        isUnderstood = true
        Self.check(check.message(.accepted))
        Self.check(check.message(.refused))
      case .illFormed(let cause): Self.check(check.message(.error(cause)))
      }
    }
    return isUnderstood
  }

  /// An answer is one whole message, and no request.
  private static func check(_ answer: [UInt8]) {
    precondition(IPA.messageOctets(answer.span) == answer.count, "an answer is no whole message")
    precondition(!GSUPCheck.isRequest(answer.span), "an answer is a request")
  }
}

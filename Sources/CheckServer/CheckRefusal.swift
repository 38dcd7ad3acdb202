import NIOCore

/// What the listener refuses by itself, with the HTTP status for it.
package enum CheckRefusal: Int, Hashable, Sendable, CaseIterable {
  case badRequest = 400
  case bodyTooLarge = 413
  case targetTooLong = 414
  case headersTooLong = 431
  case failed = 500
  /// RFC 9110, 9.1; over HTTP/2, where it can be read, the responder answers such a request.
  case unknownMethod = 501
  /// Too much is held already, or too many connections are open. RFC 9110, 15.6.4.
  case congested = 503
  case notInTime = 504

  package var title: String {
    switch self {
    case .badRequest: "Bad Request"
    case .bodyTooLarge: "Content Too Large"
    case .targetTooLong: "URI Too Long"
    case .headersTooLong: "Request Header Fields Too Large"
    case .failed: "Internal Server Error"
    case .unknownMethod: "Not Implemented"
    case .congested: "Service Unavailable"
    case .notInTime: "Gateway Timeout"
    }
  }
}

extension CheckRefusal {
  /// What an asker may do after a second. RFC 9110, 10.2.3.
  fileprivate var headers: [(String, String)] {
    self == .congested ? [("retry-after", "1")] : []
  }
}

extension CheckResponse {
  /// A problem document that says no more than HTTP itself. RFC 9457, 4.2.1.
  package static func plain(_ refusal: CheckRefusal) -> CheckResponse {
    plainRefusals[refusal] ?? CheckResponse(status: refusal.rawValue)
  }

  private static let plainRefusals = Dictionary(
    uniqueKeysWithValues: CheckRefusal.allCases.map { refusal in
      let text = #"{"title":"\#(refusal.title)","status":\#(refusal.rawValue)}"#
      return (
        refusal,
        CheckResponse(
          status: refusal.rawValue, contentType: "application/problem+json",
          body: ByteBuffer(string: text), headers: refusal.headers)
      )
    })
}

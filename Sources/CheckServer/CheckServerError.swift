/// Why the listener could not start.
package struct CheckServerError: Error, Sendable, CustomStringConvertible,
  CustomDebugStringConvertible
{
  package enum Code: Hashable, Sendable {
    case cannotListen
  }

  package let code: Code
  package let host: String
  package let port: Int
  private let reason: String

  init(cannotListenOn host: String, port: Int, reason: any Error) {
    code = .cannotListen
    self.host = host
    self.port = port
    self.reason = String(reflecting: reason)
  }

  package var description: String { "cannot listen on \(host), port \(port)" }
  package var debugDescription: String { "\(description): \(reason)" }
}

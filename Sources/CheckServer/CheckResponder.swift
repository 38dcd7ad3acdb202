package import NIOCore

/// Answers requests on the event loop: it must not wait, lock or read a file.
package protocol CheckResponder: Sendable {
  func respond(to request: CheckRequest, on eventLoop: any EventLoop) -> CheckReply
}

package enum CheckReply: Sendable {
  case now(CheckResponse)
  /// For what must be asked elsewhere. A failure is answered 500, and what takes longer than
  /// ``CheckServerLimits/answer`` 504.
  case later(EventLoopFuture<CheckResponse>)
}

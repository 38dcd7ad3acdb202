package import NIOCore

/// Answers requests on the event loop: it must not wait, lock or read a file.
package protocol CheckResponder: Sendable {
  func respond(to request: CheckRequest, on eventLoop: any EventLoop) -> CheckReply

  /// What is sent where the listener refuses before, or instead of, asking.
  func answer(to refusal: CheckRefusal) -> CheckResponse
}

extension CheckResponder {
  package func answer(to refusal: CheckRefusal) -> CheckResponse { .plain(refusal) }
}

package enum CheckReply: Sendable {
  case now(CheckResponse)
  /// For what must be asked elsewhere. A failure is answered as ``CheckRefusal/failed``, and what
  /// takes longer than ``CheckServerLimits/answer`` as ``CheckRefusal/notInTime``.
  case later(EventLoopFuture<CheckResponse>)
}

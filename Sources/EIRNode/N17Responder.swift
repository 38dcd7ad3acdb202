package import CheckServer
package import DeviceLists
package import EquipmentCheck
package import NIOCore

/// Answers N17 on the fast listener. Every answer there can be is made once, here.
package struct N17Responder: CheckResponder {
  /// What decides: called on the event loop, so it must not wait.
  package typealias Decide = @Sendable (CheckQuery, any EventLoop) -> Judge.Reply

  private let n17: N17
  private let decide: Decide
  private let white = CheckResponse(N17Message(.white))
  private let grey = CheckResponse(N17Message(.grey))
  private let black = CheckResponse(N17Message(.black))
  private let unknown = CheckResponse(N17Message(.unknown))
  private let refusals: [N17Refusal: CheckResponse]

  /// For what is always decided at once.
  package init(n17: N17 = N17(), decide: @escaping @Sendable (CheckQuery) -> CheckAnswer) {
    self.init(n17: n17, decidingOn: { query, _ in .now(decide(query)) })
  }

  package init(n17: N17 = N17(), decidingOn decide: @escaping Decide) {
    self.n17 = n17
    self.decide = decide
    refusals = Dictionary(
      uniqueKeysWithValues: N17Refusal.allCases.map { ($0, CheckResponse(N17Message($0))) })
  }

  package func respond(to request: CheckRequest, on eventLoop: any EventLoop) -> CheckReply {
    do throws(N17Refusal) {
      let query = try n17.query(
        method: request.method, target: request.target.utf8.span, accept: request.header("accept"))
      switch decide(query, eventLoop) {
      case .now(let answer): return .now(response(for: answer))
      case .later(let answer): return .later(answer.map { response(for: $0) })
      }
    } catch {
      return .now(refusals[error] ?? CheckResponse(N17Message(error)))
    }
  }

  private func response(for answer: CheckAnswer) -> CheckResponse {
    switch answer {
    case .white: white
    case .grey: grey
    case .black: black
    case .unknown: unknown
    }
  }
}

extension CheckResponse {
  package init(_ message: N17Message) {
    self.init(
      status: message.status, contentType: message.contentType,
      body: ByteBuffer(string: message.body),
      headers: message.headers.map { ($0.key, $0.value) })
  }
}

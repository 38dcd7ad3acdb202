package import CheckServer
package import DeviceLists
package import EquipmentCheck
package import NIOCore

/// Answers N17 on the fast listener. Every answer there can be is made once, here.
package struct N17Responder: CheckResponder {
  /// What decides: called on the event loop, so it must not wait.
  ///
  /// The third argument says how long the asker waits; nil where it does not say. Worth asking for
  /// only where the answer is made elsewhere.
  package typealias Decide =
    @Sendable (CheckQuery, any EventLoop, _ patience: () -> TimeAmount?) -> Judge.Reply<Judge.Ruled>

  private let n17: N17
  private let gate: TokenGate?
  private let decide: Decide
  private let white = CheckResponse(N17Message(.white))
  private let grey = CheckResponse(N17Message(.grey))
  private let black = CheckResponse(N17Message(.black))
  /// By the rule that decided.
  private let unknown: [CheckResponse]
  private let refusals: [N17Refusal: CheckResponse]
  private let listenerRefusals: [CheckRefusal: CheckResponse]

  /// For what is always decided at once.
  package init(n17: N17 = N17(), decide: @escaping @Sendable (CheckQuery) -> CheckAnswer) {
    self.init(n17: n17, decidingOn: { query, _, _ in .now(.init(decide(query), by: .mode)) })
  }

  /// - Parameters:
  ///   - gate: nil where no access token is asked for.
  ///   - instanceID: who this node is to the NRF, said in refusals.
  init(
    n17: N17 = N17(), gate: TokenGate? = nil, instanceID: String? = nil,
    decidingOn decide: @escaping Decide
  ) {
    self.n17 = n17
    self.gate = gate
    self.decide = decide
    // Who has made an error is said by the type of the network function. TS 29.500, 5.2.2.2.
    let server = instanceID.map { "5G_EIR-\($0)" } ?? "5G_EIR"
    unknown = DecisionRule.allCases.map {
      CheckResponse(N17Message(.unknown, by: $0), server: server)
    }
    refusals = Dictionary(
      uniqueKeysWithValues: N17Refusal.allCases.map {
        ($0, CheckResponse(N17Message($0), server: server))
      })
    listenerRefusals = Dictionary(
      uniqueKeysWithValues: CheckRefusal.allCases.map {
        ($0, CheckResponse($0, server: server))
      })
  }

  package func respond(to request: CheckRequest, on eventLoop: any EventLoop) -> CheckReply {
    guard let gate else { return answer(request, on: eventLoop) }
    let line = request.header("authorization")
    switch gate.admission(line, from: request.origin, asOf: .now(), on: eventLoop) {
    case .granted: return answer(request, on: eventLoop)
    case .refused(let refusal): return .now(response(for: refusal))
    case .later(let refusal):
      return .later(
        refusal.flatMap { refusal in
          if let refusal { return eventLoop.makeSucceededFuture(response(for: refusal)) }
          switch answer(request, on: eventLoop) {
          case .now(let response): return eventLoop.makeSucceededFuture(response)
          case .later(let response): return response
          }
        })
    }
  }

  package func answer(to refusal: CheckRefusal) -> CheckResponse {
    switch refusal {
    case .unknownMethod: response(for: .methodNotAllowed)
    case .congested: response(for: .congested)
    default: listenerRefusals[refusal] ?? .plain(refusal)
    }
  }

  private func answer(_ request: CheckRequest, on eventLoop: any EventLoop) -> CheckReply {
    do throws(N17Refusal) {
      let query = try n17.query(
        method: request.method, target: request.target.utf8.span, accept: request.header("accept"))
      switch decide(query, eventLoop, { request.patience }) {
      case .now(let answer): return .now(response(for: answer))
      case .later(let answer): return .later(answer.map { response(for: $0) })
      }
    } catch {
      return .now(response(for: error))
    }
  }

  private func response(for refusal: N17Refusal) -> CheckResponse {
    refusals[refusal] ?? CheckResponse(N17Message(refusal))
  }

  private func response(for ruled: Judge.Ruled) -> CheckResponse {
    switch ruled.answer {
    case .white: white
    case .grey: grey
    case .black: black
    case .unknown: unknown[Int(ruled.rule.rawValue)]
    }
  }
}

extension CheckRequest {
  /// How long the asker waits.
  fileprivate var patience: TimeAmount? {
    guard let longest = header("3gpp-sbi-max-rsp-time") else { return nil }
    let sent = header("3gpp-sbi-sender-timestamp")
    return Patience.left(longest: longest, sent: sent, asOf: Patience.nowMilliseconds)
  }
}

extension CheckResponse {
  package init(_ message: N17Message, server: String? = nil) {
    self.init(
      status: message.status, contentType: message.contentType,
      body: ByteBuffer(string: message.body),
      headers: message.headers.map { ($0.key, $0.value) } + (server.map { [("server", $0)] } ?? []))
  }

  /// What the listener refuses, with the causes of TS 29.500, table 5.2.7.2-1, where it has one.
  fileprivate init(_ refusal: CheckRefusal, server: String) {
    let cause: String? =
      switch refusal {
      case .badRequest: "INVALID_MSG_FORMAT"
      case .failed: "SYSTEM_FAILURE"
      case .congested: "NF_CONGESTION"
      case .bodyTooLarge, .targetTooLong, .headersTooLong, .unknownMethod, .notInTime: nil
      }
    let member = cause.map { #","cause":"\#($0)""# } ?? ""
    self.init(
      status: refusal.rawValue, contentType: "application/problem+json",
      body: ByteBuffer(
        string: #"{"title":"\#(refusal.title)","status":\#(refusal.rawValue)\#(member)}"#),
      headers: [("server", server)])
  }
}

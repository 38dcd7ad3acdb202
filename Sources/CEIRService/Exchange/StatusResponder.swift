import CheckServer
import DeviceLists
import ExchangeTrust
import ListExchange
import NIOCore
import RegistryStore
import Synchronization

/// `POST /exchange/v1/lu-status` on the fast listener.
///
/// An answer is made once and given again: verdicts by the million share few forms, and the moment
/// until which they count moves once a second.
final class StatusResponder: CheckResponder {
  /// Forms of one second that are kept.
  static let mostForms = 1_024

  private struct Form: Hashable {
    let answer: CheckAnswer
    let rule: DecisionRule
    let codes: GroundCodeSet
    let version: Int
  }

  private struct Forms {
    var epoch: Epoch?
    var position = Position.start
    var asOf = Instant(secondsSinceEpoch: 0)
    var made: [Form: CheckResponse] = [:]
    var encoder = LUStatusEncoder()
  }

  private let desk: StatusDesk
  private let roster: NodeRoster
  private let forms = Mutex(Forms())

  init(desk: StatusDesk, roster: NodeRoster) {
    self.desk = desk
    self.roster = roster
  }

  func respond(to request: CheckRequest, on eventLoop: any EventLoop) -> CheckReply {
    do throws(ExchangeError) {
      return .now(try response(to: request))
    } catch {
      return .now(Self.refusal(error))
    }
  }

  func answer(to refusal: CheckRefusal) -> CheckResponse {
    Self.refusals[refusal] ?? .plain(refusal)
  }

  /// What the listener refuses by itself, with the codes of the contract.
  private static let refusals = Dictionary(
    uniqueKeysWithValues: CheckRefusal.allCases.map { refusal in
      let code: ExchangeCode =
        switch refusal {
        case .badRequest, .targetTooLong, .headersTooLong: .badRequest
        case .bodyTooLarge: .tooLarge
        case .failed: .internalFailure
        case .unknownMethod: .methodNotAllowed
        case .congested, .notInTime: .unavailable
        }
      return (refusal, StatusResponder.refusal(ExchangeError(code, refusal.title)))
    })

  private func response(to request: CheckRequest) throws(ExchangeError) -> CheckResponse {
    guard let peer = request.peer?.value as? VerifiedPeer, let node = roster.node(peer.name) else {
      throw ExchangeError(.certificateRefused, "this is no node in force")
    }
    try Self.check(request)
    if let instance = request.header(ExchangeHeader.instance.lowercased()),
      InstanceID(instance) == nil
    {
      throw ExchangeError(.badRequest, "\(ExchangeHeader.instance) is unusable")
    }
    let now = Instant.now
    let question = try request.body.withUnsafeReadableBytes { bytes in
      Result { () throws(ExchangeError) in try LUStatusRequest(bytes) }
    }.get()
    guard !question.isMany else {
      let answer = try desk.answer(question, for: node, asOf: now)
      return Self.response(answer, for: node)
    }
    try question.refuseTimes(aheadOf: now)
    let feed = try desk.feed(of: node)
    let verdict = StatusDesk.engine(for: node).verdict(
      on: question.queries[0].check, in: feed, asOf: now)
    return response(verdict, at: feed.head, for: node, asOf: now)
  }

  private func response(
    _ verdict: Verdict, at head: ListHead, for node: KnownNode, asOf now: Instant
  ) -> CheckResponse {
    let form = Form(
      answer: verdict.answer, rule: verdict.rule, codes: verdict.codes,
      version: node.newestVersion)
    return forms.withLock { forms in
      if forms.asOf != now || forms.position != head.position || forms.epoch != head.epoch {
        (forms.asOf, forms.position, forms.epoch) = (now, head.position, head.epoch)
        forms.made.removeAll(keepingCapacity: true)
      }
      if let made = forms.made[form] { return made }
      let answer = forms.encoder.one(
        verdict, epoch: head.epoch, position: head.position,
        validUntil: now.adding(seconds: StatusDesk.validSeconds))
      let response = Self.response(answer, for: node)
      if forms.made.count < Self.mostForms { forms.made[form] = response }
      return response
    }
  }

  private static func response(_ answer: [UInt8], for node: KnownNode) -> CheckResponse {
    CheckResponse(
      status: 200, contentType: ExchangePath.json, body: ByteBuffer(bytes: answer),
      headers: [(ExchangeHeader.parameters.lowercased(), String(node.newestVersion))])
  }

  private static func check(_ request: CheckRequest) throws(ExchangeError) {
    let path = request.target.utf8.prefix { $0 != UInt8(ascii: "?") }
    guard path.elementsEqual(ExchangePath.luStatus.utf8) else {
      throw ExchangeError(.notFound)
    }
    guard request.method == "POST" else { throw ExchangeError(.methodNotAllowed) }
    let type = (request.header("content-type") ?? "").utf8.prefix { $0 != UInt8(ascii: ";") }
    let isJSON = String(Substring(type)).lowercased().filter { $0 != " " } == ExchangePath.json
    guard isJSON else {
      throw ExchangeError(.unsupportedMedia, "the body must be \(ExchangePath.json)")
    }
    if let instance = request.header(instanceField), InstanceID(instance) == nil {
      throw ExchangeError(.badRequest, "\(ExchangeHeader.instance) is unusable")
    }
  }

  private static let instanceField = ExchangeHeader.instance.lowercased()

  private static func refusal(_ error: ExchangeError) -> CheckResponse {
    var headers: [(String, String)] = []
    if error.code == .methodNotAllowed { headers.append(("allow", "POST")) }
    if error.code == .unavailable {
      headers.append(("retry-after", ExchangeProblemError.retryAfterSeconds))
    }
    return CheckResponse(
      status: error.code.httpStatus, contentType: ExchangePath.problem,
      body: ByteBuffer(bytes: ExchangeProblem(error).json), headers: headers)
  }
}

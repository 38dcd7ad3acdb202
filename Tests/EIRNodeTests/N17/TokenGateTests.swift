import CheckServer
import DeviceLists
import EquipmentCheck
import Foundation
import Logging
import NIOCore
import NIOPosix
import Simulation
import Testing

@testable import EIRNode

/// Who is let in, what is remembered of it and what strangers can cost.
@Suite(.serialized, .enabled(if: Tokens.isPossible))
struct TokenGateTests {
  private func gate(_ path: String) async throws -> TokenGate {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    return TokenGate(
      keys: try await TokenKeys(text: text, path: path),
      audience: .init(instanceID: Tokens.node),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  /// One of 256 hosts, made up.
  private static func origin(_ host: Int) -> PeerOrigin {
    PeerOrigin(try? NIOCore.SocketAddress(ipAddress: "192.0.2.\(host)", port: 1))
  }

  /// The refusal, nil where it is granted, and whether that was known at once.
  private func ask(
    _ gate: TokenGate, _ line: String?, from origin: PeerOrigin = Self.origin(1),
    asOf now: Instant = .now()
  ) async throws -> (refusal: N17Refusal?, isKnown: Bool) {
    let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
    switch gate.admission(line, from: origin, asOf: now, on: eventLoop) {
    case .granted: return (nil, true)
    case .refused(let refusal): return (refusal, true)
    case .later(let future): return (try await future.get(), false)
    }
  }

  @Test func `a token is verified once and then known until it ends`() async throws {
    let scratch = try Scratch()
    let tokens = Tokens(directory: scratch.path)
    let gate = try await gate(tokens.makeKey("nrf"))
    let line = "Bearer " + (try await tokens.sign(Tokens.claims(seconds: 100)))
    let now = Instant.now()
    var answer = try await ask(gate, line, asOf: now)
    #expect(answer == (nil, false))
    answer = try await ask(gate, line, asOf: now.adding(seconds: 50))
    #expect(answer == (nil, true))
    #expect(gate.counts == .init(verified: 1))
    answer = try await ask(gate, line, asOf: now.adding(seconds: 200))
    #expect(answer == (.invalidToken, false))
  }

  @Test func `the scheme may have any case and must be Bearer`() async throws {
    let scratch = try Scratch()
    let tokens = Tokens(directory: scratch.path)
    let gate = try await gate(tokens.makeKey("nrf"))
    let token = try await tokens.sign(Tokens.claims())
    #expect(try await ask(gate, "bEARER " + token).refusal == nil)
    for line in [nil, "", "Bearer", "Bearer ", token, "Basic " + token, "Bearertoken " + token] {
      #expect(try await ask(gate, line) == (.noToken, true), "\(line ?? "none")")
    }
    for line in ["Bearer x", "Bearer  " + token, "Bearer \(token), Bearer \(token)"] {
      #expect(try await ask(gate, line).refusal == .invalidToken, "\(line)")
    }
    let other = try await tokens.sign(Tokens.claims(["scope": "namf-comm"]))
    #expect(try await ask(gate, "Bearer " + other).refusal == .insufficientScope)
  }

  @Test func `a token that is refused again and again costs nothing`() async throws {
    let scratch = try Scratch()
    let gate = try await gate(Tokens(directory: scratch.path).makeKey("nrf"))
    let now = Instant.now()
    #expect(try await ask(gate, "Bearer a.b.c", asOf: now) == (.invalidToken, false))
    #expect(try await ask(gate, "Bearer a.b.c", asOf: now) == (.invalidToken, true))
    let later = now.adding(seconds: TokenGate.refusedSeconds)
    #expect(try await ask(gate, "Bearer a.b.c", asOf: later) == (.invalidToken, false))
  }

  @Test func `a token that was refused while the clock was ahead counts when it is right again`()
    async throws
  {
    let scratch = try Scratch()
    let tokens = Tokens(directory: scratch.path)
    let gate = try await gate(tokens.makeKey("nrf"))
    let line = "Bearer " + (try await tokens.sign(Tokens.claims(seconds: 100)))
    let now = Instant.now()
    #expect(try await ask(gate, line, asOf: now).refusal == nil)
    let ahead = now.adding(seconds: 30 * 86_400)
    #expect(try await ask(gate, line, asOf: ahead) == (.invalidToken, false))
    #expect(try await ask(gate, line, asOf: ahead) == (.invalidToken, true))
    #expect(try await ask(gate, line, asOf: now) == (nil, false))
    #expect(try await ask(gate, line, asOf: now) == (nil, true))
  }

  @Test func `many who bring the same new token wait for one verification`() async throws {
    let scratch = try Scratch()
    let tokens = Tokens(directory: scratch.path)
    let gate = try await gate(tokens.makeKey("nrf"))
    let line = "Bearer " + (try await tokens.sign(Tokens.claims()))
    let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
    let now = Instant.now()
    // On the event loop, so that none of them sees the end of the verification in between.
    let answers = try await eventLoop.submit {
      (0..<100).map { _ in gate.admission(line, from: Self.origin(1), asOf: now, on: eventLoop) }
    }.get()
    for answer in answers {
      if case .later(let future) = answer { #expect(try await future.get() == nil) }
    }
    #expect(gate.counts.verified == 1)
  }

  @Test func `a flood of forged tokens is turned away and moves no token that is known`()
    async throws
  {
    let scratch = try Scratch()
    let tokens = Tokens(directory: scratch.path)
    let gate = try await gate(tokens.makeKey("nrf"))
    let line = "Bearer " + (try await tokens.sign(Tokens.claims()))
    let now = Instant.now()
    #expect(try await ask(gate, line, asOf: now).refusal == nil)
    var refusals: [N17Refusal: Int] = [:]
    for number in 0..<(TokenGate.verificationsPerSecond + 500) {
      let answer = try await ask(
        gate, "Bearer \(number).b.c", from: Self.origin(number % 250), asOf: now)
      if let refusal = answer.refusal { refusals[refusal, default: 0] += 1 }
    }
    // The first of this second was the genuine one.
    #expect(
      refusals == [
        .invalidToken: TokenGate.verificationsPerSecond - 1, .tooManyTokens: 501,
      ])
    #expect(try await ask(gate, line, asOf: now) == (nil, true))
    #expect(gate.counts.turnedAway == 501)
    // The next second has room again.
    let next = now.adding(seconds: 1)
    #expect(try await ask(gate, "Bearer n.b.c", asOf: next).refusal == .invalidToken)
  }

  @Test func `forgers at one address leave room for those at others`() async throws {
    let scratch = try Scratch()
    let tokens = Tokens(directory: scratch.path)
    let gate = try await gate(tokens.makeKey("nrf"))
    let now = Instant.now()
    var refusals: [N17Refusal: Int] = [:]
    for number in 0..<(TokenGate.verificationsPerSecond + 500) {
      let answer = try await ask(gate, "Bearer \(number).b.c", asOf: now)
      if let refusal = answer.refusal { refusals[refusal, default: 0] += 1 }
    }
    let most = TokenGate.verificationsOfOneAddress
    #expect(
      refusals == [
        .invalidToken: most, .tooManyTokens: TokenGate.verificationsPerSecond + 500 - most,
      ])
    let line = "Bearer " + (try await tokens.sign(Tokens.claims()))
    #expect(try await ask(gate, line, asOf: now) == (.tooManyTokens, true))
    #expect(try await ask(gate, line, from: Self.origin(2), asOf: now) == (nil, false))
    // What is known is known for everybody, and the next second has room again.
    #expect(try await ask(gate, line, asOf: now) == (nil, true))
    let next = now.adding(seconds: 1)
    #expect(try await ask(gate, "Bearer n.b.c", asOf: next).refusal == .invalidToken)
  }

  @Test func `with new keys the tokens of the former count no more`() async throws {
    let scratch = try Scratch()
    let tokens = Tokens(directory: scratch.path)
    let gate = try await gate(tokens.makeKey("nrf"))
    let line = "Bearer " + (try await tokens.sign(Tokens.claims()))
    #expect(try await ask(gate, line).refusal == nil)
    let path = try await tokens.makeKey("next")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    gate.replace(keys: try await TokenKeys(text: text, path: path))
    #expect(try await ask(gate, line) == (.invalidToken, false))
    let next = "Bearer " + (try await tokens.sign(Tokens.claims(), key: "next"))
    #expect(try await ask(gate, next).refusal == nil)
  }

  @Test func `only so many wait, and what is known does not`() async throws {
    let scratch = try Scratch()
    let path = try await Tokens(directory: scratch.path).makeKey("nrf")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    var state = TokenGate.State(keys: try await TokenKeys(text: text, path: path))
    let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
    let now = Instant.now()
    state.note("Bearer known", nil, until: now.adding(seconds: 60), 0, asOf: now)
    var promises: [EventLoopPromise<N17Refusal?>] = []
    // Nobody verifies: all of them wait.
    for number in 0..<(TokenGate.mostWaiting + 2) {
      let promise = eventLoop.makePromise(of: N17Refusal?.self)
      promises.append(promise)
      switch state.step("Bearer new", from: Self.origin(1), promise, asOf: now) {
      case .verify: #expect(number == 0)
      case .wait: #expect((1..<TokenGate.mostWaiting).contains(number))
      case .known(let refusal):
        #expect(refusal == .congested)
        #expect(number >= TokenGate.mostWaiting)
      }
    }
    for promise in promises { promise.succeed(nil) }
    #expect(state.counts.turnedAway == 2)
    #expect(state.known("Bearer known", asOf: now) == .some(nil))
  }

  @Test func `tokens that are remembered have a limit, and the dead go first`() async throws {
    let scratch = try Scratch()
    let path = try await Tokens(directory: scratch.path).makeKey("nrf")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    var state = TokenGate.State(keys: try await TokenKeys(text: text, path: path))
    let now = Instant.now()
    for number in 0..<TokenGate.mostAccepted {
      let seconds: Int64 = number % 2 == 0 ? 5 : 500
      state.note("\(number)", nil, until: now.adding(seconds: seconds), 0, asOf: now)
    }
    let later = now.adding(seconds: 10)
    state.note("new", nil, until: later.adding(seconds: 60), 0, asOf: later)
    #expect(state.accepted.count == TokenGate.mostAccepted / 2 + 1)
    #expect(state.known("1", asOf: later) == .some(nil))
    #expect(state.known("new", asOf: later) == .some(nil))
    for number in 0..<(TokenGate.mostRefused * 2 + 1) {
      state.note("x\(number)", .untrusted, until: nil, 0, asOf: later)
      #expect(state.refused.count <= TokenGate.mostRefused)
    }
    #expect(state.accepted.count == TokenGate.mostAccepted / 2 + 1)
    state.note("of former keys", nil, until: later.adding(seconds: 60), 7, asOf: later)
    #expect(state.known("of former keys", asOf: later) == nil)
  }
}

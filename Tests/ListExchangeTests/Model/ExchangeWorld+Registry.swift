import DeviceIdentity
import DeviceLists
import Simulation

@testable import ListExchange

/// What the registry does.
extension ExchangeWorld {
  private var registryNow: Instant { now.adding(seconds: clockError) }

  func killRegistry() {
    guard isRegistryUp else { return }
    isRegistryUp = false
    schedule(.registryStarts, after: .random(in: 1...60, using: &chance))
  }

  /// Sessions are in memory alone.
  func startRegistry() {
    isRegistryUp = true
    for number in sessions.indices {
      sessions[number] = BroadcastSession(confirmSeconds: 20)
      broadcasts[number] = nil
    }
  }

  /// A write of the registry; after a fault it starts anew from what is on disk.
  private func write(_ change: (inout ModelRegistry) -> Void) -> Bool {
    let fault = fault()
    if fault?.isStored ?? true { change(&registry) }
    if fault != nil { killRegistry() }
    return fault == nil
  }

  // MARK: - Broadcasting

  func step(session number: Int) throws {
    guard isRegistryUp else { return }
    adopt(number)
    let parameters = registry.parameters[number].inForce
    guard parameters.style.isPushed else { return }
    let feed = nodes[number].feed
    let offer = registry.offer(to: sessions[number].standing, feed)
    let action = sessions[number].next(offer, asOf: now)
    sessions[number].began(action)
    switch action {
    case .ask: broadcast(.status, to: number, parameters)
    case .delta(let after), .confirm(let after):
      broadcast(.delta(try delta(feed, after)), to: number, parameters)
    case .snapshot(let least):
      guard registry.position >= least else { return found("a snapshot below \(least)") }
      snapshotCount += 1
      broadcast(
        .snapshot(registry.snapshot(of: feed, asOf: registryNow)), to: number, parameters)
    case .wait, .leave: break
    }
  }

  private func adopt(_ number: Int) {
    let position = sessions[number].standing?.position ?? .start
    let step = registry.parameters[number].next(at: position)
    guard case .adopt(let parameters) = step else { return }
    _ = write { $0.adopted(parameters, for: number) }
  }

  private func delta(_ feed: Feed, _ after: Position) throws -> ReceivedDelta {
    let delta = try registry.delta(
      of: feed, after: after, most: 8, asOf: registryNow, asBytes: holds(20))
    guard holds(trouble.gap), !delta.changes.isEmpty else { return delta }
    // An accident that only the digest can find: a row is left out.
    var changes = delta.changes
    changes.remove(at: .random(in: changes.indices, using: &chance))
    return ReceivedDelta(changes: changes, checkpoint: delta.checkpoint)
  }

  private func broadcast(
    _ broadcast: ModelBroadcast, to number: Int, _ parameters: ExchangeParameters
  ) {
    let token = token()
    broadcasts[number] = token
    let isAsync = parameters.style == .pushAsync
    send(
      .broadcast(
        number, holds(trouble.cut) ? .cut : broadcast, token: token, isAsync: isAsync,
        version: registry.parameters[number].newestVersion))
    schedule(.noAnswer(number, token: token), after: Self.answerSeconds)
  }

  func take(_ reply: ModelNodeReply, from number: Int, token: Int) throws {
    guard isRegistryUp, broadcasts[number] == token else { return }
    broadcasts[number] = nil
    switch reply {
    case .status(let status): sessions[number].answered(status, asOf: now)
    case .response(let response):
      sessions[number].answered(response, asOf: now, using: &chance)
    case .problem(let problem): sessions[number].refused(problem, asOf: now, using: &chance)
    }
    try step(session: number)
  }

  func fail(_ number: Int, token: Int) {
    guard isRegistryUp, broadcasts[number] == token else { return }
    broadcasts[number] = nil
    sessions[number].failed(asOf: now, using: &chance)
  }

  // MARK: - Answering

  func answer(_ question: ModelQuestion, of number: Int, token: Int) throws {
    guard isRegistryUp else { return }
    let feed = nodes[number].feed
    switch question {
    case .changes(let asked):
      // What a node asks from is what it holds.
      if asked.epoch == registry.epoch {
        note(Standing(epoch: asked.epoch, position: asked.after, digest: asked.digest), number)
      }
      if let refusal = registry.refusal(of: asked, feed) {
        reply(.problem(refusal), to: number, token)
      } else {
        reply(.delta(try delta(feed, asked.after)), to: number, token)
      }
    case .snapshot:
      snapshotCount += 1
      reply(.snapshot(registry.snapshot(of: feed, asOf: registryNow)), to: number, token)
    case .parameters:
      let state = registry.parameters[number]
      let answer = ParametersAnswer(inForce: state.inForce, proposed: state.proposed)
      reply(.parameters(answer), to: number, token)
    case .confirmation(let version): confirm(version, number, token)
    case .acknowledgement(let acknowledgement):
      sessions[number].acknowledged(acknowledgement, asOf: now, using: &chance)
      try step(session: number)
    }
  }

  private func confirm(_ version: Int, _ number: Int, _ token: Int) {
    do throws(ExchangeError) {
      try registry.parameters[number].checkConfirmation(of: version)
    } catch {
      return reply(.problem(ExchangeProblem(error)), to: number, token)
    }
    guard write({ $0.confirmed(version, by: number) }) else { return }
    reply(.confirmed(version), to: number, token)
  }

  private func note(_ standing: Standing, _ number: Int) {
    let step = registry.parameters[number].next(at: standing.position)
    if case .adopt(let parameters) = step {
      _ = write { $0.adopted(parameters, for: number) }
    }
  }

  private func reply(_ reply: ModelReply, to number: Int, _ token: Int) {
    send(
      .reply(
        number, holds(trouble.cut) ? .cut : reply, token: token,
        version: registry.parameters[number].newestVersion))
  }

  // MARK: - What happens to it

  func act() throws {
    actsLeft -= 1
    if actsLeft > 0 { schedule(.act, after: .random(in: Self.actSeconds, using: &chance)) }
    guard isRegistryUp else { return }
    switch Int.random(in: 0..<100, using: &chance) {
    case 0..<50: publish(.random(in: 1...6, using: &chance))
    case 50..<56: publishRun()
    case 56..<60: _ = write { $0.approveAll() }
    case 60..<68: restart(node: .random(in: 0..<Self.nodeCount, using: &chance))
    case 68..<74: killRegistry()
    case 74..<80: restore()
    case 80..<86:
      let kept = UInt64.random(in: 0...20, using: &chance)
      let position = registry.position.number
      registry.trim(to: Position(position > kept ? position - kept : 0))
    default: propose(.random(in: 0..<Self.nodeCount, using: &chance))
    }
    for number in nodes.indices { try step(session: number) }
  }

  func publish(_ count: Int) {
    let scopes: [Scope] = [.all] + ModelRegistry.feeds.map { .only($0.ownOperator) }
    let classes = [nil, Samples.black, Samples.black, Samples.grey, Samples.white]
    let entries = (0..<count).map { _ in
      let subject = Subject.imei(.init(unchecked: .random(in: 0..<40, using: &chance)))
      let scope = scopes.randomElement(using: &chance) ?? .all
      return (ModelKey(subject: subject, scope: scope), classes.randomElement(using: &chance)!)
    }
    _ = write { $0.publish(entries) }
  }

  private func publishRun() {
    let number = nextRun
    nextRun += 1
    let subjects = (0..<20).map { Subject.imei(.init(unchecked: UInt64(number) * 1_000 + $0)) }
    let isApproved = Bool.random(using: &chance)
    _ = write { $0.publish(run: number, subjects, isApproved: isApproved) }
  }

  /// The former process is gone with its memory; what it has sent may still be on its way.
  private func restore() {
    let count = Bool.random(using: &chance) ? 0 : Int.random(in: 1...12, using: &chance)
    registry.restore(losing: count, as: Epoch(using: &chance))
    clockError = Bool.random(using: &chance) ? 0 : .random(in: -100...0, using: &chance)
    killRegistry()
  }

  private func propose(_ number: Int) {
    let state = registry.parameters[number]
    let styles: [ExchangeParameters.Style] = [.follow, .push, .pushAsync]
    let parameters = ExchangeParameters(
      version: state.newestVersion + 1, style: styles.randomElement(using: &chance) ?? .follow,
      effectiveAfter: registry.position.number + .random(in: 0...5, using: &chance),
      endpoint: "https://[::1]:9443", window: .init(changes: 10_000, seconds: 20))
    _ = write { $0.propose(parameters, to: number) }
  }
}

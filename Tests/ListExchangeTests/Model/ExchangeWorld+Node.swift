import DeviceLists

@testable import ListExchange

/// What the nodes do.
extension ExchangeWorld {
  func step(node number: Int) {
    guard nodes[number].isUp else { return }
    if nodes[number].errand == nil { stepParameters(number) }
    guard nodes[number].isUp, nodes[number].question == nil, now >= nodes[number].pausesUntil
    else { return }
    let node = nodes[number]
    guard node.disk.parameters.asksByItself(silentSince: node.heardAt, asOf: now) else { return }
    perform(node.follower.next, by: number)
  }

  private func stepParameters(_ number: Int) {
    switch nodes[number].stepParameters(fault: fault) {
    case .fetch: ask(.parameters, by: number)
    case .confirm(let version): ask(.confirmation(version), by: number)
    case .adopt, .none: restartIfKilled(number)
    }
  }

  private func perform(_ action: FeedFollower.Action, by number: Int) {
    switch action {
    case .fetch(let epoch, let after, let digest):
      let insists = Bool.random(using: &chance)
      ask(
        .changes(ChangesRequest(epoch: epoch, after: after, digest: digest, insists: insists)),
        by: number)
    case .takeSnapshot: ask(.snapshot, by: number)
    case .changeEpoch(let epoch): nodes[number].announced(epoch)
    case .goOn: pause(number)
    case .apply, .confirm, .ignore, .install: break
    }
  }

  private func ask(_ question: ModelQuestion, by number: Int) {
    let token = token()
    if question.isErrand {
      nodes[number].errand = token
    } else {
      nodes[number].question = token
    }
    send(.question(number, question, token: token))
    schedule(.noReply(number, token: token), after: Self.answerSeconds)
  }

  private func pause(_ number: Int) {
    nodes[number].pausesUntil = now.adding(seconds: .random(in: 1...8, using: &chance))
  }

  /// No reply, or the time for it is over: the client has hung up.
  func miss(_ number: Int, token: Int) {
    if nodes[number].errand == token { nodes[number].errand = nil }
    guard nodes[number].question == token else { return }
    nodes[number].question = nil
    pause(number)
  }

  /// A reply belongs to its question: one that comes too late, or again, reaches nobody.
  func take(_ reply: ModelReply, by number: Int, token: Int, version: Int) {
    guard nodes[number].isUp else { return }
    guard nodes[number].question == token || nodes[number].errand == token else { return }
    if nodes[number].errand == token { nodes[number].errand = nil }
    if nodes[number].question == token { nodes[number].question = nil }
    nodes[number].announcedVersion = max(nodes[number].announcedVersion, version)
    switch reply {
    case .delta(let delta):
      settle(nodes[number].take(delta, asOf: now, digests, fault: fault), number)
    case .snapshot(let snapshot):
      settle(nodes[number].take(snapshot, asOf: now, digests, fault: fault), number)
    case .problem(let problem): perform(nodes[number].refused(problem), by: number)
    case .parameters(let answer): nodes[number].told(answer, fault: fault)
    case .confirmed(let version): nodes[number].confirmed(version, fault: fault)
    case .cut: pause(number)
    }
    restartIfKilled(number)
  }

  private func settle(_ outcome: ModelNode.Outcome, _ number: Int) {
    switch outcome {
    case .applied, .ignored, .killed: break
    case .next(let action): perform(action, by: number)
    case .failed: pause(number)
    }
  }

  private func restartIfKilled(_ number: Int) {
    if !nodes[number].isUp { restart(node: number) }
  }

  // MARK: - Broadcasts

  func take(
    _ broadcast: ModelBroadcast, by number: Int, token: Int, isAsync: Bool, version: Int
  ) {
    guard nodes[number].isUp else { return }
    nodes[number].announcedVersion = max(nodes[number].announcedVersion, version)
    let node = nodes[number]
    var reply: ModelNodeReply?
    switch broadcast {
    case .status:
      var ids = chance
      reply = .status(
        NodeStatus(
          registry: ModelRegistry.name, standing: node.standing, held: node.disk.held.count,
          instance: InstanceID(using: &ids)))
    case .cut: reply = .problem(ExchangeProblem(ExchangeError(.cutShort)))
    case .delta, .snapshot:
      nodes[number].heardAt = now
      if isAsync {
        reply = .response(
          BroadcastResponse(
            state: .accepted, standing: node.standing, held: node.disk.held.count))
        schedule(
          .work(number, broadcast, life: node.life), after: .random(in: 0...9, using: &chance))
      } else {
        reply = nodes[number].answer(to: apply(broadcast, number), state: .applied)
      }
    }
    restartIfKilled(number)
    guard let reply else { return }
    send(.answer(number, reply, token: token), isLate: false)
  }

  private func apply(_ broadcast: ModelBroadcast, _ number: Int) -> ModelNode.Outcome {
    switch broadcast {
    case .delta(let delta): nodes[number].take(delta, asOf: now, digests, fault: fault)
    case .snapshot(let snapshot): nodes[number].take(snapshot, asOf: now, digests, fault: fault)
    case .status, .cut: .ignored
    }
  }

  /// What was taken is done, and what came of it acknowledged.
  func work(_ broadcast: ModelBroadcast, by number: Int, life: Int) {
    guard nodes[number].isUp, nodes[number].life == life else { return }
    _ = apply(broadcast, number)
    restartIfKilled(number)
    guard nodes[number].isUp, let standing = nodes[number].standing else { return }
    let acknowledgement = Acknowledgement(
      standing: standing, held: nodes[number].disk.held.count)
    send(.question(number, .acknowledgement(acknowledgement), token: token()))
  }
}

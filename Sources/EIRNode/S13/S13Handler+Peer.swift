import CheckServer
import DeviceLists
import Diameter
import ExchangeTrust
import Logging
import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Coming, staying and going of the peer.
extension S13Handler {
  func admit(_ peer: PeerCapabilities, context: ChannelHandlerContext) {
    if let certified, !certified.contains(where: { DiameterIdentity($0) == peer.host }) {
      refused(.unknownPeer, because: "its certificate names another")
      session.refuse(.unknownPeer, into: &answers)
      return close(context: context)
    }
    isHeld = true
    let connection = connection(context)
    service.peers.admit(peer, connection, asOf: .now()).assumeIsolated().whenComplete {
      [self] result in
      isHeld = false
      guard context.channel.isActive else {
        service.peers.remove(peer.host, connection.id)
        return
      }
      if let code = (try? result.get()) ?? nil {
        refused(code)
        session.refuse(code, into: &answers)
        close(context: context)
        return
      }
      session.admit(into: &answers)
      // The node may be ending by now.
      if session.state == .open { note("a Diameter peer is connected", peer.host) }
      readMessages(context: context)
      send(context: context)
    }
  }

  private func connection(_ context: ChannelHandlerContext) -> S13Peers.Connection {
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    let eventLoop = context.eventLoop
    let channel = context.channel
    return S13Peers.Connection(
      id: ObjectIdentifier(channel), eventLoop: eventLoop, address: address,
      host: channel.remoteAddress?.ipAddress, isCertified: certified != nil,
      probe: {
        eventLoop.flatSubmit {
          let (handler, context) = bound.value
          return handler.probe(context: context)
        }
      }, close: { channel.close(promise: nil) })
  }

  /// Asks whether the peer lives; anything that comes from it says so.
  private func probe(context: ChannelHandlerContext) -> EventLoopFuture<Bool> {
    let promise = context.eventLoop.makePromise(of: Bool.self)
    guard context.channel.isActive, session.state == .open else {
      promise.succeed(false)
      return promise.futureResult
    }
    // One question answers all who want to know, or else many could make it one each.
    if probes.isEmpty {
      session.writeWatchdog(into: &answers)
      send(context: context)
    }
    probes.append(promise)
    // A promise that was kept already does not change.
    context.eventLoop.scheduleTask(in: service.limits.probe) { promise.succeed(false) }
    return promise.futureResult
  }

  private func note(_ what: Logger.Message, _ peer: DiameterIdentity) {
    guard service.peers.peerLines.takesOne(asOf: .now()) else { return }
    service.logger.notice(what, metadata: ["peer": "\(peer)", "address": "\(address)"])
  }

  func refused(_ code: ResultCode, because reason: String? = nil) {
    service.peers.countRefusal(code)
    guard service.peers.refusalLines.takesOne(asOf: .now()) else { return }
    service.logger.warning(
      "a Diameter peer was refused",
      metadata: [
        "code": "\(code.rawValue)", "reason": "\(reason ?? code.reason)", "address": "\(address)",
        "peer": "\(session.peer?.host.description ?? "unnamed")",
      ])
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is ChannelShouldQuiesceEvent: disconnect(context: context)
    case let tick as ConnectionTick: look(at: tick.now, context: context)
    default: context.fireUserInboundEventTriggered(event)
    }
  }

  private func disconnect(context: ChannelHandlerContext) {
    if case .close = session.disconnect(into: &answers) {
      close(context: context)
    } else {
      send(context: context)
    }
  }

  private func look(at now: NIODeadline, context: ChannelHandlerContext) {
    account(context: context)
    switch session.state {
    case .expectingCapabilities, .admitting:
      if now - since > service.limits.capabilities { context.close(promise: nil) }
    case .open, .disconnecting:
      if let unfinishedSince, now - unfinishedSince > service.limits.message {
        context.close(promise: nil)
        return
      }
      switch watchdog.tick(asOf: now, using: &chance) {
      case .none: break
      case .ask:
        session.writeWatchdog(into: &answers)
        send(context: context)
      case .close:
        if let peer = session.peer { note("a Diameter peer does not answer", peer.host) }
        context.close(promise: nil)
      }
    case .closed: break
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    for probe in probes { probe.succeed(false) }
    probes = []
    service.peers.memory.release(ObjectIdentifier(context.channel))
    if let peer = session.peer {
      service.peers.remove(peer.host, ObjectIdentifier(context.channel))
      if session.state == .open || session.state == .disconnecting {
        note("a Diameter peer is gone", peer.host)
      }
    }
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}

extension ResultCode {
  /// Why a peer may not come in, for the log.
  fileprivate var reason: String {
    switch self {
    case .unknownPeer: "s13.peers does not name it"
    case .noCommonApplication: "it does not have S13"
    case .noCommonSecurity: "it wants inband security"
    case .unableToComply: "another connection of it lives"
    default: "its capabilities cannot be read"
    }
  }
}

extension PeerAddress {
  /// Nil for what is no address of the internet.
  init?(_ address: NIOCore.SocketAddress) {
    guard let text = address.ipAddress else { return nil }
    var v4 = in_addr()
    var v6 = in6_addr()
    if inet_pton(AF_INET, text, &v4) == 1 {
      self.init(withUnsafeBytes(of: v4) { Array($0) })
    } else if inet_pton(AF_INET6, text, &v6) == 1 {
      self.init(withUnsafeBytes(of: v6) { Array($0) })
    } else {
      return nil
    }
  }
}

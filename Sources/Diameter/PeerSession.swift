package import NIOCore

/// The life of one connection that a peer has opened: the responder's half of the peer state
/// machine (RFC 6733, 5.6), without sockets and clocks.
///
/// What is to be sent is written into a buffer; what else is to be done is returned.
package struct PeerSession: Sendable {
  package enum State: Hashable, Sendable {
    /// The first message must be a Capabilities-Exchange-Request.
    case expectingCapabilities
    /// Whether this peer may come in is being found out.
    case admitting
    case open
    /// We have asked the peer to let go: requests on the way are still answered.
    case disconnecting
    case closed
  }

  package enum Outcome: Equatable, Sendable {
    case goOn
    /// Nothing more is read before ``admit(into:)`` or ``refuse(_:into:)``.
    case admit(PeerCapabilities)
    /// A request for the application, which the caller answers.
    case request
    /// The answer, an error, is written.
    case refused(ResultCode)
    /// Once what was written is sent; with the code by which a peer was refused.
    case close(ResultCode? = nil)
  }

  package private(set) var state = State.expectingCapabilities
  package private(set) var peer: PeerCapabilities?
  package let local: LocalNode
  /// Where the peer reaches us, as a capabilities answer tells it.
  private let address: PeerAddress?
  private var capabilitiesHeader: DiameterHeader?
  private var requestNumber: UInt32

  /// - Parameter requestNumber: where the numbers of our own requests begin.
  package init(local: LocalNode, address: PeerAddress?, requestNumber: UInt32) {
    self.local = local
    self.address = address
    self.requestNumber = requestNumber
  }

  /// - Parameter message: one whole message from its first byte.
  package mutating func received(
    _ header: DiameterHeader, _ message: RawSpan, watchdog: inout PeerWatchdog,
    into buffer: inout ByteBuffer
  ) -> Outcome {
    switch state {
    case .expectingCapabilities: return expectCapabilities(header, message, into: &buffer)
    case .admitting, .closed: return .close()
    case .open, .disconnecting: break
    }
    guard header.isRequest else { return answered(header, &watchdog) }
    guard !header.flags.contains(.error) else {
      return refuse(.invalidHeaderBits, header, message, into: &buffer)
    }
    switch (header.application, header.command) {
    case (.s13, .meIdentityCheck): return .request
    case (.base, .deviceWatchdog):
      local.writeSuccess(to: header, into: &buffer)
      return .goOn
    case (.base, .disconnectPeer):
      local.writeSuccess(to: header, into: &buffer)
      state = .closed
      return .close()
    case (.base, .capabilitiesExchange):
      return capabilitiesAgain(header, message, into: &buffer)
    case (.base, _), (.s13, _):
      return refuse(.commandUnsupported, header, message, into: &buffer)
    default: return refuse(.applicationUnsupported, header, message, into: &buffer)
    }
  }

  /// Where the next message begins is lost.
  package mutating func broken(
    _ header: DiameterHeader, _ refusal: DiameterRefusal, into buffer: inout ByteBuffer
  ) {
    let isOpen = state == .open || state == .disconnecting
    state = .closed
    guard isOpen, header.isRequest else { return }
    local.writeError(refusal, to: header, RawSpan(), into: &buffer)
  }

  private func refuse(
    _ code: ResultCode, _ header: DiameterHeader, _ message: RawSpan,
    into buffer: inout ByteBuffer
  ) -> Outcome {
    local.writeError(DiameterRefusal(code), to: header, message, into: &buffer)
    return .refused(code)
  }

  private mutating func answered(
    _ header: DiameterHeader, _ watchdog: inout PeerWatchdog
  ) -> Outcome {
    guard header.application == .base else { return .goOn }
    switch header.command {
    case .deviceWatchdog where header.hopByHop == requestNumber: watchdog.answered()
    case .disconnectPeer where state == .disconnecting:
      state = .closed
      return .close()
    default: break
    }
    return .goOn
  }
}

// MARK: - Coming in

extension PeerSession {
  private mutating func expectCapabilities(
    _ header: DiameterHeader, _ message: RawSpan, into buffer: inout ByteBuffer
  ) -> Outcome {
    guard header.isRequest, header.command == .capabilitiesExchange, header.application == .base
    else {
      state = .closed
      return .close()
    }
    capabilitiesHeader = header
    guard !header.flags.contains(.error) else {
      return refuseCapabilities(DiameterRefusal(.invalidHeaderBits), message, into: &buffer)
    }
    do throws(DiameterRefusal) {
      let peer = try PeerCapabilities(in: message)
      if let refusal = peer.refusal { throw refusal }
      // Nobody else has our name.
      if peer.host == local.host { throw DiameterRefusal(.unknownPeer) }
      self.peer = peer
      state = .admitting
      return .admit(peer)
    } catch {
      return refuseCapabilities(error, message, into: &buffer)
    }
  }

  private mutating func refuseCapabilities(
    _ refusal: DiameterRefusal, _ message: RawSpan, into buffer: inout ByteBuffer
  ) -> Outcome {
    state = .closed
    if let header = capabilitiesHeader {
      local.writeCapabilities(
        to: header, refusal, of: message, address: address, into: &buffer)
    }
    return .close(refusal.code)
  }

  /// The peer may come in.
  package mutating func admit(into buffer: inout ByteBuffer) {
    guard state == .admitting, let header = capabilitiesHeader else { return }
    state = .open
    local.writeCapabilities(to: header, of: RawSpan(), address: address, into: &buffer)
  }

  /// The peer may not come in; the connection is then closed.
  package mutating func refuse(_ code: ResultCode, into buffer: inout ByteBuffer) {
    guard state == .admitting else { return }
    _ = refuseCapabilities(DiameterRefusal(code), RawSpan(), into: &buffer)
  }

  /// Capabilities may be told again while the connection is open, by the same peer.
  private mutating func capabilitiesAgain(
    _ header: DiameterHeader, _ message: RawSpan, into buffer: inout ByteBuffer
  ) -> Outcome {
    do throws(DiameterRefusal) {
      let again = try PeerCapabilities(in: message)
      if let refusal = again.refusal { throw refusal }
      guard again.host == peer?.host else { throw DiameterRefusal(.unknownPeer) }
      local.writeCapabilities(to: header, of: message, address: address, into: &buffer)
      return .goOn
    } catch {
      capabilitiesHeader = header
      return refuseCapabilities(error, message, into: &buffer)
    }
  }
}

// MARK: - Our own requests

extension PeerSession {
  package mutating func writeWatchdog(into buffer: inout ByteBuffer) {
    requestNumber &+= 1
    local.writeWatchdog(number: requestNumber, into: &buffer)
  }

  /// Asks the peer to let go; it answers, and then the connection is closed.
  package mutating func disconnect(into buffer: inout ByteBuffer) -> Outcome {
    guard state == .open else {
      let isDisconnecting = state == .disconnecting
      if !isDisconnecting { state = .closed }
      return isDisconnecting ? .goOn : .close()
    }
    state = .disconnecting
    requestNumber &+= 1
    local.writeDisconnect(number: requestNumber, into: &buffer)
    return .goOn
  }
}

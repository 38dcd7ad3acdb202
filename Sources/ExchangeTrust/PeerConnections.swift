package import DeviceLists
package import NIOCore
import Synchronization

/// Every limit on what peers may hold open, by name.
package struct ConnectionLimits: Hashable, Sendable {
  /// Connections of peers that have proved who they are.
  package var connections = 4_096
  /// Connections on which nobody has proved anything yet; they take no place from the others.
  package var handshakes = 512
  /// Of them from one address, so that no single stranger takes all.
  package var handshakesPerAddress = 64
  /// Connections of one peer, over all its certificates.
  package var connectionsPerPeer = 256
  /// How long a peer may take to prove who it is.
  package var handshake: TimeAmount = .seconds(10)
  /// How long a closing connection waits for the peer's farewell.
  package var farewell: TimeAmount = .seconds(1)

  package init() {}
}

/// The open connections of peers, and whose certificates count no more. One for all listeners of a
/// process, so that its limits and a revocation hold everywhere.
package final class PeerConnections: Sendable {
  private struct State {
    var handshakes = 0
    var handshakesOfAddress: [String: Int] = [:]
    var open: [ObjectIdentifier: (peer: VerifiedPeer, channel: any Channel)] = [:]
    var countOfPeer: [PeerName: Int] = [:]
    var revoked: Set<CertificateSerial> = []
  }

  package let limits: ConnectionLimits
  private let state = Mutex(State())

  package init(limits: ConnectionLimits = .init()) { self.limits = limits }

  /// How many connections are open, verified or not.
  package var count: Int { state.withLock { $0.handshakes + $0.open.count } }
  /// The peers of the open connections, one for each.
  package var peers: [VerifiedPeer] { state.withLock { $0.open.values.map(\.peer) } }

  /// Who is at the other end of a connection, or of one stream of an HTTP/2 connection.
  package func peer(of channel: any Channel) -> VerifiedPeer? {
    state.withLock { state in
      if let found = state.open[ObjectIdentifier(channel)] { return found.peer }
      guard let parent = channel.parent else { return nil }
      return state.open[ObjectIdentifier(parent)]?.peer
    }
  }
}

// MARK: - A connection's life

extension PeerConnections {
  /// False where too many have not yet proved who they are.
  func beginHandshake(from address: String) -> Bool {
    state.withLock { state in
      let count = state.handshakesOfAddress[address, default: 0]
      guard state.handshakes < limits.handshakes, count < limits.handshakesPerAddress else {
        return false
      }
      state.handshakes += 1
      state.handshakesOfAddress[address] = count + 1
      return true
    }
  }

  func endHandshake(from address: String) {
    state.withLock { state in
      state.handshakes -= 1
      let left = state.handshakesOfAddress[address, default: 1] - 1
      state.handshakesOfAddress[address] = left == 0 ? nil : left
    }
  }

  /// Takes a connection in. In one step with the look at the revoked, so that a revocation finds
  /// either the connection or its refusal.
  func take(_ channel: any Channel, of peer: VerifiedPeer) throws(TrustError) {
    let refusal = state.withLock { state -> TrustError? in
      if state.revoked.contains(peer.serial) { return Self.revoked(peer) }
      guard state.open.count < limits.connections else {
        return TrustError(.tooMany, "\(limits.connections) connections are open already")
      }
      guard state.countOfPeer[peer.name, default: 0] < limits.connectionsPerPeer else {
        return TrustError(
          .tooMany, "\(peer.name) has \(limits.connectionsPerPeer) connections open already")
      }
      state.open[ObjectIdentifier(channel)] = (peer, channel)
      state.countOfPeer[peer.name, default: 0] += 1
      return nil
    }
    if let refusal { throw refusal }
    channel.closeFuture.whenComplete { _ in self.remove(channel) }
  }

  private func remove(_ channel: any Channel) {
    state.withLock { state in
      guard let peer = state.open.removeValue(forKey: ObjectIdentifier(channel))?.peer else {
        return
      }
      let left = state.countOfPeer[peer.name, default: 1] - 1
      state.countOfPeer[peer.name] = left == 0 ? nil : left
    }
  }
}

// MARK: - Revocation

extension PeerConnections {
  /// Throws for a certificate that counts no more.
  package func refuseRevoked(_ peer: VerifiedPeer) throws(TrustError) {
    if state.withLock({ $0.revoked.contains(peer.serial) }) { throw Self.revoked(peer) }
  }

  private static func revoked(_ peer: VerifiedPeer) -> TrustError {
    TrustError(.revoked, "the certificate \(peer.serial) of \(peer.name) is revoked")
  }

  /// Sets whose certificates count no more, and closes what they have open. Returns how many
  /// connections that were.
  @discardableResult
  package func revoke(_ serials: Set<CertificateSerial>) -> Int {
    let closing = state.withLock { state in
      state.revoked = serials
      return state.open.values.filter { serials.contains($0.peer.serial) }
    }
    return close(closing)
  }

  /// Closes every connection of one certificate. Returns how many those were.
  @discardableResult
  package func close(serial: CertificateSerial) -> Int {
    close(state.withLock { $0.open.values.filter { $0.peer.serial == serial } })
  }

  /// Closes the connections whose certificates have ended since they were opened.
  @discardableResult
  package func closeExpired(asOf now: Instant) -> Int {
    close(state.withLock { $0.open.values.filter { $0.peer.notAfter < now } })
  }

  private func close(_ connections: [(peer: VerifiedPeer, channel: any Channel)]) -> Int {
    for connection in connections { connection.channel.close(promise: nil) }
    return connections.count
  }
}

import DeviceLists
import Diameter
import ExchangeTrust
import NIOCore
import Synchronization

/// The peers that are connected, one connection each. RFC 6733, 5.6.
package final class S13Peers: Sendable {
  /// One connection, as the table sees it; its calls may come from any thread.
  struct Connection: Sendable {
    let id: ObjectIdentifier
    let eventLoop: any EventLoop
    let address: String
    /// The address without its port.
    let host: String?
    /// Whether the peer's name stands in its certificate, or is only said.
    let isCertified: Bool
    /// Whether the other end shows life in time.
    let probe: @Sendable () -> EventLoopFuture<Bool>
    let close: @Sendable () -> Void
  }

  /// For people.
  package struct Report: Hashable, Codable, Sendable {
    package var name: String
    package var realm: String
    package var address: String
    package var since: String
  }

  private struct Open: Sendable {
    let connection: Connection
    let capabilities: PeerCapabilities
    let since: Instant

    /// Whether the older connection is known to be of no more use: its peer has proved who it is
    /// only now, or says by a greater Origin-State-Id that whatever was before is lost (RFC 6733,
    /// 8.16) and is the same as far as can be told.
    func replaces(_ older: Open) -> Bool {
      if connection.isCertified != older.connection.isCertified { return connection.isCertified }
      guard let before = older.capabilities.originStateID,
        let after = capabilities.originStateID, after > before
      else { return false }
      return connection.isCertified || connection.host == older.connection.host
    }
  }

  private let allowed: S13Settings.AllowedPeers
  private let open = Mutex<[DiameterIdentity: Open]>([:])
  /// Refusals by their code, in the order of ``ResultCode/allCases``.
  private let refusals: [RefusalCount] = ResultCode.allCases.map { _ in RefusalCount() }

  private final class RefusalCount: Sendable {
    let count = Atomic<Int>(0)
  }

  let memory: S13Memory

  package init(
    allowed: S13Settings.AllowedPeers, mostBytes: Int = S13Limits.bytesOfAll
  ) {
    self.allowed = allowed
    memory = S13Memory(most: mostBytes)
  }

  package var reports: [Report] {
    open.withLock { open in
      open.values.map {
        Report(
          name: $0.capabilities.host.description, realm: $0.capabilities.realm.description,
          address: $0.connection.address, since: $0.since.description)
      }.sorted { $0.name < $1.name }
    }
  }

  /// Those that are expected by name, and whether they are here.
  var expected: [(name: DiameterIdentity, isOpen: Bool)] {
    guard case .named(let names, _) = allowed else { return [] }
    let open = open.withLock { Set($0.keys) }
    return names.sorted { $0.description < $1.description }.map { ($0, open.contains($0)) }
  }

  var openCount: Int { open.withLock { $0.count } }

  /// In the log within a minute, of peers that are refused, and of those that come and go; all of
  /// them are in the metrics.
  static let mostRefusalLines = 20
  static let mostPeerLines = 200

  /// Who is refused may come back at once, and again.
  let refusalLines = LineLimit(most: mostRefusalLines)
  let peerLines = LineLimit(most: mostPeerLines)

  func countRefusal(_ code: ResultCode) {
    guard let place = ResultCode.allCases.firstIndex(of: code) else { return }
    refusals[place].count.add(1, ordering: .relaxed)
  }

  var refusalCounts: [(code: ResultCode, count: Int)] {
    zip(ResultCode.allCases, refusals).compactMap { code, refusal in
      let count = refusal.count.load(ordering: .relaxed)
      return count > 0 ? (code, count) : nil
    }
  }

  /// Lets a peer in, or says why not. An older connection of the same peer stays if it shows life:
  /// a peer that has vanished and comes back must not wait for the watchdog. Who only says its name
  /// never disturbs one that has proved it.
  ///
  /// - Returns: nil where the peer is in; on the event loop of `connection`.
  func admit(
    _ peer: PeerCapabilities, _ connection: Connection, asOf now: Instant
  ) -> EventLoopFuture<ResultCode?> {
    let eventLoop = connection.eventLoop
    guard allowed.allow(peer.host) else {
      return eventLoop.makeSucceededFuture(.unknownPeer)
    }
    let newcomer = Open(connection: connection, capabilities: peer, since: now)
    let (older, isReplaced) = open.withLock { open in
      let older = open[peer.host]
      let isReplaced = older.map { newcomer.replaces($0) } ?? true
      if isReplaced { open[peer.host] = newcomer }
      return (older?.connection, isReplaced)
    }
    if let older, older.isCertified, !connection.isCertified {
      return eventLoop.makeSucceededFuture(.unableToComply)
    }
    // After the lock: on its own event loop a connection ends at once, and then looks in here.
    if isReplaced { older?.close() }
    guard let older, !isReplaced else { return eventLoop.makeSucceededFuture(nil) }
    return older.probe().hop(to: eventLoop).flatMap { lives in
      if lives { return eventLoop.makeSucceededFuture(.unableToComply) }
      older.close()
      self.remove(peer.host, older.id)
      return self.admit(peer, connection, asOf: now)
    }
  }

  /// The connection has ended; another of the same peer may have taken its place.
  func remove(_ peer: DiameterIdentity, _ id: ObjectIdentifier) {
    open.withLock { open in
      if open[peer]?.connection.id == id { open[peer] = nil }
    }
  }
}

package import DeviceLists
package import ExchangeTrust
package import ListExchange
package import Logging
package import RegistryStore
import ServiceLifecycle
import Synchronization

/// A node in force, with what its requests need to know of it.
package struct KnownNode: Sendable {
  package let identity: NodeIdentity
  package let name: NodeName
  /// What a device on no list is answered as. The operator's policy.
  package let mode: CheckAnswer
  package let inForce: ExchangeParameters
  package let proposed: ExchangeParameters?

  package var feed: Feed { Feed(of: identity.operatorCode) }
  package var scope: ScopeNumber { identity.operatorNumber }
  package var role: PeerName.Role { .node(identity.operatorCode, name) }
  /// Said in every answer, so that a node hears of new parameters.
  package var newestVersion: Int { max(inForce.version, proposed?.version ?? 0) }
}

/// Knows every node in force, so that no request has to ask the database who it is from; closes
/// what a revoked certificate has open; and writes down, once a second, what nodes say of
/// themselves.
package final class NodeRoster: Service {
  static let pollInterval = Duration.seconds(1)
  /// Reports of one node that wait to be written: each is of another machine or certificate.
  static let mostReports = 8

  private struct State {
    var nodes: [PeerName.Role: KnownNode] = [:]
    var reports: [NodeIdentity: [NodeReport]] = [:]
    var warned: Set<Int32> = []
    /// Whose list was another than the registry's when it was last compared.
    var differing: Set<NodeIdentity> = []
  }

  private let store: RegistryStore
  private let bell: Bell
  private let connections: PeerConnections
  private let metrics: CEIRMetrics
  private let logger: Logger
  private let state = Mutex(State())

  package init(
    store: RegistryStore, bell: Bell, connections: PeerConnections, metrics: CEIRMetrics,
    logger: Logger
  ) {
    self.store = store
    self.bell = bell
    self.connections = connections
    self.metrics = metrics
    self.logger = logger
  }

  package func run() async throws {
    let rounds = Rounds(
      bell: bell, interval: Self.pollInterval, logger: logger,
      complaint: "The nodes cannot be read and are those of before.")
    await rounds.run {
      try await self.look()
      try await self.writeReports()
    }
  }

  package var nodes: [KnownNode] { state.withLock { Array($0.nodes.values) } }

  /// Nil for a peer that is no node in force, as far as was last looked.
  package func node(_ peer: PeerName) -> KnownNode? { state.withLock { $0.nodes[peer.role] } }

  /// The same, looking again where it is unknown: it may have been made a moment ago.
  func required(_ peer: VerifiedPeer) async throws -> KnownNode {
    if let node = node(peer.name) { return node }
    try await look()
    guard let node = node(peer.name) else {
      metrics.refusedRequests.add()
      throw ExchangeError(.certificateRefused, "\(peer.name) is no node in force")
    }
    return node
  }

  /// What is said in the answer to a node: it may have changed while the node waited.
  func newestVersion(of node: KnownNode) -> Int {
    state.withLock { $0.nodes[node.role] }?.newestVersion ?? node.newestVersion
  }

  /// Reads who is in force and who no longer counts.
  package func look() async throws {
    let (plans, operators, revoked) = try await store.read { registry in
      (
        try await registry.nodePlans(), try await registry.operatorRecords(),
        try await registry.revokedSerials()
      )
    }
    let modes = Dictionary(uniqueKeysWithValues: operators.map { ($0.code, $0.policy.mode) })
    var nodes: [PeerName.Role: KnownNode] = [:]
    for plan in plans {
      guard let node = try KnownNode(plan, mode: modes[plan.node.operatorCode]) else { continue }
      nodes[node.role] = node
    }
    let inForce = Set(nodes.values.map(\.identity))
    let differing = state.withLock { state in
      state.nodes = nodes
      state.differing.formIntersection(inForce)
      return state.differing.count
    }
    metrics.differingNodes.set(Int64(differing))
    let closed = connections.revoke(Set(revoked.compactMap { CertificateSerial($0) }))
    let expired = connections.closeExpired(asOf: .now)
    if closed + expired > 0 {
      logger.notice(
        "Connections were closed.",
        metadata: [
          "revoked": "\(closed)", "expired": "\(expired)",
        ])
    }
    metrics.connections.set(Int64(connections.count))
  }
}

// MARK: - What nodes say of themselves

extension NodeRoster {
  /// Kept until the next second: thousands of requests become one write.
  func note(_ report: NodeReport, of node: NodeIdentity) {
    state.withLock { state in
      var waiting = state.reports[node, default: []]
      if var last = waiting.last, last.instance == report.instance, last.serial == report.serial {
        if let standing = report.standing {
          (last.standing, last.cameAt) = (standing, report.cameAt)
        }
        last.held = report.held ?? last.held
        waiting[waiting.count - 1] = last
      } else if waiting.count < Self.mostReports {
        waiting.append(report)
      }
      state.reports[node] = waiting
    }
  }

  /// What came of comparing a node's list with the journal.
  func noteComparison(of node: NodeIdentity, differs: Bool) {
    let (count, isNews) = state.withLock { state in
      let isNews =
        differs
        ? state.differing.insert(node).inserted : state.differing.remove(node) != nil
      return (state.differing.count, isNews)
    }
    guard isNews else { return }
    metrics.differingNodes.set(Int64(count))
    let metadata: Logger.Metadata = ["node": "\(node.operatorCode)/\(node.name)"]
    if differs {
      logger.warning("A node's list is another than the registry's.", metadata: metadata)
    } else {
      logger.notice("A node's list is the registry's again.", metadata: metadata)
    }
  }

  private func writeReports() async throws {
    let reports = state.withLock { state in
      defer { state.reports = [:] }
      return state.reports
    }
    guard !reports.isEmpty else { return }
    let findings = try await store.write { registry in
      var findings: [(NodeIdentity, TwoMachines)] = []
      // In one order: two processes that write the same nodes never wait for each other.
      for (node, said) in reports.sorted(by: { $0.key.number < $1.key.number }) {
        for report in said {
          if let found = try await registry.report(of: node, report) {
            findings.append((node, found))
          }
        }
      }
      return findings
    }
    for (node, finding) in findings { warn(of: finding, at: node) }
  }

  private func warn(of finding: TwoMachines, at node: NodeIdentity) {
    guard state.withLock({ $0.warned.insert(node.number).inserted }) else { return }
    metrics.twoMachines.add()
    logger.warning(
      finding.shareCertificate
        ? "One certificate is used by two machines." : "Two machines use one node's name.",
      metadata: ["node": "\(node.operatorCode)/\(node.name)"])
  }
}

extension KnownNode {
  /// Nil where the database holds a name that no certificate can carry.
  init?(_ plan: NodePlan, mode: CheckAnswer?) throws {
    guard let name = NodeName(plan.node.name) else { return nil }
    identity = plan.node
    self.name = name
    self.mode = mode ?? .unknown
    inForce = try plan.parameters.inForce.map(ExchangeParameters.init) ?? ExchangeParameters()
    proposed = try plan.parameters.proposed.map(ExchangeParameters.init)
  }
}

extension ExchangeParameters {
  /// As the registry has written them down.
  init(_ record: ParameterRecord) throws {
    try self.init(json: Array(record.document.utf8))
    version = record.version
  }
}

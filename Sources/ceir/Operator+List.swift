import ArgumentParser
import CEIRService
import DeviceLists
import RegistryStore

extension Operator {
  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the operators, how their nodes are told of changes and where they stand.",
      discussion: """
        LAG is how many positions a node has still to come; HELD how many devices its brake keeps \
        as they were. A name that two machines use at once, and a node whose list is another than \
        the registry's at the same position, are said below the table. A node whose certificates \
        were all revoked or have ended is marked: it cannot speak until it gets a new one.

        EXAMPLES
          ceir operator list
          ceir operator list --format json
          ceir operator list --all
        """)

    @Flag(help: "Also nodes that have retired.") var all = false
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    func run() async throws {
      let rows = try await registry.withRegistry { store in
        try await store.read { registry in
          let feeds = try await registry.feedHeads()
          let plans = try await registry.nodePlans()
          let differing = try await registry.differingNodes()
          let shutOut = ShutOut(try await registry.certificates(), asOf: .now)
          return try await registry.operatorRecords(withRetired: all).map {
            OperatorRow(
              $0, feed: feeds.head(of: $0.code), plans: plans, differing: differing,
              shutOut: shutOut)
          }
        }
      }
      if format == .json { return try Terminal.json(rows) }
      var table = TextTable([
        "OPERATOR", "NAME", "NETWORKS", "MODE", "NODE", "STYLE", "POSITION", "LAG", "HELD", "SEEN",
      ])
      for line in rows.flatMap(\.lines) { table.add(line) }
      Terminal.output(table.text)
      for warning in rows.flatMap(\.warnings) { Terminal.output(warning) }
    }
  }
}

/// Nodes that have certificates, none of which counts any more.
private struct ShutOut {
  enum State: String { case revoked, ended }

  private var states: [CertificateHolder: State] = [:]

  init(_ certificates: [CertificateRecord], asOf now: Instant) {
    for (holder, all) in Dictionary(grouping: certificates, by: \.holder) {
      let standing = all.filter { $0.revokedAt == nil }
      guard standing.allSatisfy({ $0.notAfter < now }) else { continue }
      states[holder] = standing.isEmpty ? .revoked : .ended
    }
  }

  func state(_ node: String, of code: OperatorCode) -> State? {
    NodeName(node).flatMap { states[.node(code, $0)] }
  }
}

/// An operator as `ceir operator list` shows it.
private struct OperatorRow: Encodable {
  /// Where the operator's feed stands at the registry: its nodes must come to the same.
  struct Feed: Encodable {
    let epoch: String
    let position: UInt64
    let digest: String
  }

  struct Node: Encodable {
    let name: String
    let style: String
    let parametersInForce: Int?
    let parametersProposed: Int?
    let epoch: String?
    let position: UInt64?
    /// Positions that it has still to come; absent in another epoch.
    let lag: UInt64?
    let digest: String?
    /// Whether the registry's list has another digest at this position.
    let differs: Bool
    let held: Int?
    let seenAt: String?
    let retiredAt: String?
    /// `revoked` or `ended` where no certificate of the node counts any more.
    let certificates: String?
    let twoMachines: Warning?
  }

  /// Two machines speak under the name of this node.
  struct Warning: Encodable {
    let noticedAt: String
    /// Whether they have the very same certificate.
    let shareCertificate: Bool
  }

  let code: String
  let name: String
  let networks: [String]
  let mode: String
  let policy: PolicyAnswer
  let feed: Feed
  let nodes: [Node]

  init(
    _ record: OperatorRecord, feed head: ListHead, plans: [NodePlan],
    differing: Set<NodeIdentity>, shutOut: ShutOut
  ) {
    code = record.code.description
    name = record.name
    networks = record.networks
    mode = record.policy.mode.description
    policy = PolicyAnswer(record.policy)
    feed = Feed(
      epoch: head.epoch.description, position: head.position.number,
      digest: head.digest.description)
    nodes = record.nodes.map { node in
      let plan =
        node.retiredAt != nil
        ? nil
        : plans.first { $0.node.operatorCode == record.code && $0.node.name == node.name }
      let differs = plan.map { differing.contains($0.node) } ?? false
      return Node(
        node, plan: plan, head: head, differs: differs,
        shutOut: shutOut.state(node.name, of: record.code))
    }
  }

  var lines: [[String]] {
    let own = [code, name, networks.joined(separator: " "), mode]
    guard !nodes.isEmpty else { return [own + Array(repeating: "–", count: 6)] }
    return nodes.map { node in
      own + [
        node.name, node.retiredAt == nil ? node.certificates ?? node.style : "retired",
        node.position?.description ?? "–", node.lag?.description ?? "–",
        node.held?.description ?? "–", node.seenAt ?? "never",
      ]
    }
  }

  var warnings: [String] {
    nodes.flatMap { node in
      node.warnings.map { "warning: \(code)/\(node.name): \($0)." }
    }
  }
}

extension OperatorRow.Node {
  var warnings: [String] {
    var warnings: [String] = []
    if let twoMachines {
      let what =
        twoMachines.shareCertificate
        ? "one certificate is used by two machines" : "two machines use this name"
      warnings.append("\(what), noticed at \(twoMachines.noticedAt)")
    }
    if let certificates, retiredAt == nil {
      warnings.append(
        certificates == "revoked"
          ? "its certificates are revoked: ceir pki issue gives it another"
          : "its certificate has ended: ceir pki issue gives it another")
    }
    if differs {
      warnings.append(
        "its list is another than the registry's at position \(position ?? 0); a snapshot mends it")
    }
    return warnings
  }

  fileprivate init(
    _ node: NodeRecord, plan: NodePlan?, head: ListHead, differs: Bool, shutOut: ShutOut.State?
  ) {
    let isHere = node.epoch == head.epoch.description
    name = node.name
    style = (plan?.style ?? .follow).rawValue
    parametersInForce = plan?.parameters.inForce?.version
    parametersProposed = plan?.parameters.proposed?.version
    epoch = node.epoch
    position = node.position?.number
    lag =
      isHere
      ? node.position.map { head.position.number - min($0.number, head.position.number) } : nil
    digest = node.digest?.description
    self.differs = differs
    held = node.held
    seenAt = node.seenAt?.description
    retiredAt = node.retiredAt?.description
    certificates = shutOut?.rawValue
    twoMachines = node.twoMachines.map {
      OperatorRow.Warning(
        noticedAt: $0.noticedAt.description, shareCertificate: $0.shareCertificate)
    }
  }
}

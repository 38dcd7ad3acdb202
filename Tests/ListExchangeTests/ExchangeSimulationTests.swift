import DeviceLists
import Foundation
import Testing

@testable import ListExchange

/// A thousand histories of a registry and its nodes over a network that loses, doubles, delays,
/// reorders and cuts, with kills and failing writes on both sides, new epochs, a moving horizon,
/// mass changes and changing styles. `EXCHANGE_SEED` runs one of them again.
struct ExchangeSimulationTests {
  private static let batches = 40
  private static let seedsPerBatch = 25

  /// Long enough for the longest pauses and silences one after the other.
  private static let settlingSeconds: Int64 = 3_600
  private static let quietSeconds: Int64 = 150

  private static var seeds: [[UInt64]] {
    if let seed = ProcessInfo.processInfo.environment["EXCHANGE_SEED"].flatMap({ UInt64($0) }) {
      return [[seed]]
    }
    return (0..<batches).map { batch in
      (0..<seedsPerBatch).map { UInt64(batch * seedsPerBatch + $0 + 1) }
    }
  }

  @Test(arguments: seeds)
  func `whatever happens, in the end every node has the registry's list`(
    seeds: [UInt64]
  ) throws {
    for seed in seeds {
      let findings = try Self.findings(seed)
      #expect(findings.isEmpty, "EXCHANGE_SEED=\(seed): \(findings)")
    }
  }

  private static func findings(_ seed: UInt64) throws -> [String] {
    let world = ExchangeWorld(seed: seed)
    world.actsLeft = 40
    world.schedule(.tick, after: 0)
    world.schedule(.act, after: 1)
    _ = try world.run(atMost: 2_000) { world.actsLeft == 0 }
    // At rest: nothing goes wrong any more, and nothing new happens.
    world.trouble = ExchangeWorld.Trouble()
    world.registry.approveAll()
    let isSettled = try world.run(atMost: settlingSeconds) { Self.isSettled(world) }
    if !isSettled, world.findings.isEmpty { return unsettled(world) }
    // When the stragglers have come, what is new travels as deltas alone.
    _ = try world.run(atMost: quietSeconds) { false }
    let snapshots = world.snapshotCount
    world.publish(9)
    let isFollowed = try world.run(atMost: settlingSeconds) { Self.isSettled(world) }
    if !isFollowed, world.findings.isEmpty { return unsettled(world) }
    _ = try world.run(atMost: quietSeconds) { false }
    let detours = world.snapshotCount - snapshots
    return world.findings + atRest(world) + (detours > 0 ? ["\(detours) snapshots at rest"] : [])
  }

  private static func standing(_ world: ExchangeWorld, _ feed: Feed) -> Standing {
    let registry = world.registry
    return Standing(
      epoch: registry.epoch, position: registry.position,
      digest: registry.digest(of: feed, at: registry.position) ?? .zero)
  }

  /// Every node is where the registry is, in lists and in parameters.
  private static func isSettled(_ world: ExchangeWorld) -> Bool {
    world.isRegistryUp
      && world.nodes.indices.allSatisfy { number in
        let node = world.nodes[number]
        let parameters = world.registry.parameters[number]
        guard node.isUp, node.standing == standing(world, node.feed) else { return false }
        guard let proposed = parameters.proposed else {
          // Or it waits for a position that the registry has lost with its last rows.
          return [node.disk.parameters.inForce, node.disk.parameters.proposed]
            .contains(parameters.inForce)
        }
        // Both wait for its position. A confirmed set that it has replaced may be in force at the
        // node alone.
        return node.disk.parameters.proposed == proposed && parameters.isConfirmed
      }
  }

  private static func unsettled(_ world: ExchangeWorld) -> [String] {
    world.nodes.enumerated().map { number, node in
      let parameters = world.registry.parameters[number]
      return "node \(number), up: \(node.isUp), at \(node.standing.map { "\($0)" } ?? "nothing") "
        + "instead of \(standing(world, node.feed)), \(text(node.disk.parameters)) "
        + "instead of \(text(parameters))"
    }
  }

  private static func text(_ state: ParametersState) -> String {
    "\(state.inForce.style) \(state.inForce.version)"
      + (state.proposed.map { " to be \($0.style) \($0.version)" } ?? "")
  }

  private static func atRest(_ world: ExchangeWorld) -> [String] {
    var findings: [String] = []
    for (number, node) in world.nodes.enumerated() {
      guard let list = node.disk.list, let head = node.disk.head else { continue }
      if list.recomputed(world.digests) != head.digest { findings.append("\(number): sum") }
      // A quiet registry is heard every 20 seconds, counted from the last acknowledgement where
      // the node takes its time; a slow clock makes no list younger.
      let isAsync = world.registry.parameters[number].inForce.style == .pushAsync
      let age = world.now.seconds(since: head.issuedAt) + world.clockError
      if age > (isAsync ? 90 : 40) {
        findings.append("the list of node \(number) is \(age) seconds old")
      }
      let runs = world.registry.runs
      let marked = node.disk.held.filter { _, span in
        runs.contains { $0.after <= span.after && span.upTo <= $0.upTo }
      }
      if !marked.isEmpty { findings.append("node \(number) holds \(marked.count) marked") }
      if node.standing != standing(world, node.feed) { findings.append("\(number) moved") }
    }
    return findings
  }
}

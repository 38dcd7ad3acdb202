import DeviceIdentity
import DeviceLists
import RegistryStore
import Simulation
import Testing

/// An operator's own black list, as a whole and by its changes.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct OwnListTests {
  /// A step gives the whole list, or changes with a sign; then added, ended, unchanged and the
  /// serials that are on the list afterwards.
  private struct Step {
    let lines: [Int]
    var isFull = false
    let counts: [Int]
    let list: [Int]
  }

  @Test func `a full list replaces, a delta changes, and both say what they did`() async throws {
    try await withNodes { registry, alfa, beta in
      for node in [alfa, beta] { try await accept(node, registry) }
      for step in [
        Step(lines: [1, 2, 3], isFull: true, counts: [3, 0, 0], list: [1, 2, 3]),
        Step(lines: [2, 3, 4], isFull: true, counts: [1, 1, 2], list: [2, 3, 4]),
        Step(lines: [2, 3, 4], isFull: true, counts: [0, 0, 3], list: [2, 3, 4]),
        Step(lines: [5, -2, 3, -9], counts: [1, 1, 2], list: [3, 4, 5]),
        Step(lines: [6, -6, 7, 7, -7, 7], counts: [1, 0, 1], list: [3, 4, 5, 7]),
        Step(lines: [], counts: [0, 0, 0], list: [3, 4, 5, 7]),
        Step(lines: [], isFull: true, counts: [0, 4, 0], list: []),
      ] {
        let outcome = try await bring(step.lines, isFull: step.isFull, of: alfa, registry)
        #expect([outcome.added, outcome.ended, outcome.unchanged] == step.counts)
        #expect(try await list(of: alfa, registry) == step.list)
        #expect((outcome.receipt == nil) == (step.counts[0] + step.counts[1] == 0))
        #expect(try await list(of: beta, registry) == [])
      }
    }
  }

  @Test func `a delta names what was there already and what was not there`() async throws {
    try await withNodes { registry, alfa, _ in
      try await accept(alfa, registry)
      _ = try await bring([1, 2], isFull: true, of: alfa, registry)
      try await registry.store.write {
        _ = try await $0.block(
          imei(5), with: NewGround(on: .imei(imei(5)), code: .stolen, source: "police"), by: "anna")
      }
      let outcome = try await bring([1, -3, 4, -2, -5], of: alfa, registry)
      #expect(outcome.present == [imei(1)])
      #expect(outcome.missing.sorted() == [imei(3), imei(5)])
      #expect(outcome.foreign == [imei(5)])
    }
  }

  @Test func `a line counts for every IMEI of its device, and marks each`() async throws {
    try await withNodes { registry, alfa, _ in
      try await accept(alfa, registry)
      try await registry.store.write {
        _ = try await $0.link([imei(1), imei(2)], source: "customs", by: "anna")
      }
      var outcome = try await bring([1], isFull: true, of: alfa, registry)
      #expect(outcome.added == 2)
      #expect(outcome.receipt?.marks.count == 2)
      #expect(
        try await RegistryState(of: registry).dirty.sorted() == [
          "1 35000000000001/0 @1 !2", "1 35000000000002/0 @1 !2",
        ])
      outcome = try await bring([-2], of: alfa, registry)
      #expect(outcome.ended == 2)
      #expect(try await list(of: alfa, registry) == [])
    }
  }

  @Test func `grounds of others stay, and what was asked for by requests does`()
    async throws
  {
    try await withNodes { registry, alfa, _ in
      try await accept(alfa, registry)
      try await registry.store.write {
        _ = try await $0.block(
          imei(1), with: NewGround(on: .imei(imei(1)), code: .stolen, source: "police"), by: "anna")
        _ = try await $0.submit(
          NewDeviceRequest(
            kind: .block, imei: imei(2), imsi: try IMSI("001010000000001"), reason: "stolen"),
          of: alfa)
      }
      #expect(try await list(of: alfa, registry) == [])
      let outcome = try await bring([1], isFull: true, of: alfa, registry)
      #expect([outcome.added, outcome.ended] == [1, 0])
      #expect(
        try await RegistryState(of: registry).grounds.sorted() == [
          "1 35000000000001/0 @0 stolen 1 by police, in force",
          "1 35000000000001/0 @1 operatorRequest 1 by operator:alfa:list, in force",
          "1 35000000000002/0 @1 operatorRequest 1 by operator:alfa, in force",
        ])
    }
  }

  @Test func `an operator whose blocks are refused has no list, and a list that breaks off none`()
    async throws
  {
    try await withNodes { registry, alfa, beta in
      try await registry.store.write {
        try await $0.setPolicy(
          OperatorPolicy(blockRequests: .refused), of: alfa.operatorCode, by: "anna")
      }
      try await registry.expectRefusal(.policyForbids) {
        _ = try await $0.replaceOwnList(of: alfa) { nil }
      }
      try await registry.expectRefusal(.unfit) {
        var serial: UInt64 = 0
        _ = try await $0.replaceOwnList(of: beta) {
          serial += 1
          guard serial < 100 else { throw StoreError(.unfit, "line 100") }
          return OwnListLine(.add, imei(serial))
        }
      }
    }
  }

  @Test func `lists that come at once leave what the last of them said`() async throws {
    try await withNodes { registry, alfa, _ in
      try await accept(alfa, registry)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for first in 1...6 {
          group.addTask {
            _ = try await bring(Array(first...first + 20), isFull: true, of: alfa, registry)
          }
        }
        try await group.waitForAll()
      }
      let list = try await list(of: alfa, registry)
      let first = try #require(list.first)
      #expect(list == Array(first...first + 20))
    }
  }

  private func accept(_ node: NodeIdentity, _ registry: TestRegistry) async throws {
    try await registry.store.write {
      try await $0.setPolicy(
        OperatorPolicy(blockRequests: .accepted), of: node.operatorCode, by: "anna")
    }
  }

  private func bring(
    _ lines: [Int], isFull: Bool = false, of node: NodeIdentity, _ registry: TestRegistry
  ) async throws -> OwnListOutcome {
    try await registry.store.write(isLong: true) {
      var rest = lines[...]
      let next = {
        rest.popFirst().map {
          OwnListLine($0 < 0 ? .remove : .add, imei(UInt64(abs($0))), reason: "lease")
        }
      }
      return isFull
        ? try await $0.replaceOwnList(of: node, next: next)
        : try await $0.changeOwnList(of: node, next: next)
    }
  }

  /// Serials of the IMEIs that the operator has on its list.
  private func list(of node: NodeIdentity, _ registry: TestRegistry) async throws -> [Int] {
    let source = "operator:\(node.operatorCode):list"
    let mark = "@\(node.operatorNumber.number) operatorRequest 1 by \(source)"
    return try await RegistryState(of: registry).grounds
      .filter { $0.contains(mark) && $0.hasSuffix(", in force") }
      .compactMap { $0.split(separator: " ")[1].dropFirst(8).prefix(6) }
      .compactMap { Int($0) }.sorted()
  }
}

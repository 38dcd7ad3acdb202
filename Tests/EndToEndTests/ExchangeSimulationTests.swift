import DeviceIdentity
import Foundation
import Simulation
import Testing

/// Real processes and a real PostgreSQL under seeded faults: cut and stalled connections, kill -9
/// of the CEIR, of nodes and of the database, new epochs, changed styles. At rest every node holds
/// what the registry says of its feed, and none has gone back within an epoch.
///
/// `EXCHANGE_SEED=7 Scripts/test --filter EndToEndTests.ExchangeSimulationTests` repeats one.
struct ExchangeSimulationTests {
  /// Each has a CEIR, a database and two nodes, which mostly wait.
  private static let seats = Seats(4)
  static let seeds: [UInt64] =
    ProcessInfo.processInfo.environment["EXCHANGE_SEED"].flatMap { UInt64($0) }.map { [$0] }
    ?? Array(1...20)
  static let steps = 8

  enum Step: CaseIterable {
    case block, blockMany, release, cut, stall, delay, killCEIR, killNode, killPostgreSQL, epoch,
      otherStyle
  }

  @Test(arguments: seeds)
  func `every list is the registry's at rest`(seed: UInt64) async throws {
    let seat = await Self.seats.take()
    defer { withExtendedLifetime(seat) {} }
    var chance = SeededGenerator(seed: seed)
    let country = try await Country.withoutNodes()
    let port = country.exchangeURL.split(separator: ":").last.flatMap { Int($0) } ?? 0
    let proxy = try await ChaosProxy.start(to: port)
    var course = Course(country: country, proxy: proxy)
    try await course.start()
    for _ in 1...Self.steps {
      let step = Step.allCases.randomElement(using: &chance) ?? .block
      do {
        try await course.take(step, using: &chance)
      } catch {
        Issue.record("EXCHANGE_SEED=\(seed), \(step): \(error)")
        throw error
      }
    }
    try await course.rest()
    try await proxy.stop()
    try await country.remove()
  }

  /// One run: what has been done, and what must therefore hold.
  struct Course {
    let country: Country
    let proxy: ChaosProxy
    /// Of each node, the epoch and position last seen.
    var seen: [String: (epoch: String, position: UInt64)] = [:]
    var isBlack: [IMEI: Bool] = [:]
    var isPushed = false
    var number: UInt64 = 35_000_000_000_000

    static let following = "eir-1"
    static let changing = "eir-2"

    init(country: Country, proxy: ChaosProxy) {
      self.country = country
      self.proxy = proxy
    }

    func start() async throws {
      for name in [Self.following, Self.changing] { try await country.addNode(name) }
      try await startFollowing()
      try await startChanging()
    }

    private func startFollowing() async throws {
      try await country.startEIR(
        Self.following, through: "https://127.0.0.1:\(proxy.port)", "--brake-least", "1000000")
    }

    private func startChanging() async throws {
      try await country.startEIR(Self.changing, pushed: true, "--brake-least", "1000000")
    }

    mutating func take(_ step: Step, using chance: inout SeededGenerator) async throws {
      switch step {
      case .block: try await block(count: 1)
      case .blockMany: try await block(count: 300)
      case .release: try await release(using: &chance)
      case .cut:
        proxy.set(.cut)
        proxy.set(.none)
      case .stall: proxy.set(.stall)
      case .delay: proxy.set(.delay)
      case .killCEIR:
        try await country.killCEIR()
        try await country.restartCEIR()
      case .killNode:
        let name = Bool.random(using: &chance) ? Self.following : Self.changing
        try await look(at: name)
        try await country.killEIR(name)
        try await name == Self.following ? startFollowing() : startChanging()
        try await look(at: name)
      case .killPostgreSQL:
        // Without a number it is just starting, after another fault.
        var server: Int32 = 0
        try await eventually("a server") { [country] in
          server = (try? country.postmaster) ?? 0
          return server > 0
        }
        kill(server, SIGKILL)
        try await eventually("another server") { [country] in
          ((try? country.postmaster) ?? server) != server
        }
      case .epoch: try await country.persist("epoch", "new", "--reason", "restored")
      case .otherStyle: try await changeStyle()
      }
      try await look(at: Self.changing)
    }

    private mutating func block(count: Int) async throws {
      let imeis = (1...count).map { number + UInt64($0) * 7 }.map(IMEI.init(unchecked:))
      number += UInt64(count) * 7
      let file = "\(country.folder)/stolen-\(number).csv"
      try (["imei"] + imeis.map(\.dialled)).joined(separator: "\n").appending("\n")
        .write(toFile: file, atomically: true, encoding: .utf8)
      try await country.persist("import", "stolen", file)
      for imei in imeis { isBlack[imei] = true }
    }

    private mutating func release(using chance: inout SeededGenerator) async throws {
      let black = isBlack.filter(\.value).keys.sorted { $0.number < $1.number }
      guard let imei = black.randomElement(using: &chance) else { return }
      try await country.persist("device", "release", imei.dialled, "--reason", "wrong")
      isBlack[imei] = false
    }

    private mutating func changeStyle() async throws {
      isPushed.toggle()
      let address = try #require(country.nodes[Self.changing]).exchangeAddress
      let style =
        isPushed ? ["--style", "push", "--endpoint", "https://\(address)"] : ["--style", "follow"]
      try await country.persist(
        ["operator", "parameters", "set", Country.operatorCode, "--node", Self.changing] + style)
    }

    /// A list never goes back within an epoch.
    private mutating func look(at name: String) async throws {
      guard let status = try? await country.nodeStatus(name), let epoch = status.epoch,
        let position = status.position
      else { return }
      if let before = seen[name], before.epoch == epoch {
        #expect(position >= before.position, "\(name) has gone back")
      }
      seen[name] = (epoch, position)
    }

    /// Faults end, and every list becomes the registry's.
    mutating func rest() async throws {
      proxy.set(.cut)
      proxy.set(.none)
      for name in [Self.following, Self.changing] {
        try await country.untilNodeIsLevel(name)
        try await look(at: name)
        for (imei, isBlack) in isBlack.sorted(by: { $0.key.number < $1.key.number }).suffix(20) {
          let answer = try await country.check("?pei=imei-\(imei.dialled)", at: name)
          #expect(answer.body.contains("BLACKLISTED") == isBlack, "\(imei) at \(name)")
        }
      }
    }
  }
}

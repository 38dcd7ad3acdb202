import DeviceIdentity
import DeviceLists
import Foundation
import ListExchange
import ListIndex
import Logging
import NIOCore
import NIOPosix
import Simulation
import Testing

@testable import EIRNode

/// The CEIR and the operator's own system are away for hours while the network asks on: the parts
/// of a node as the program puts them together, on a real disk, in a time that is an argument.
struct HourAwayTests {
  private static let black = EntryClass(
    status: .black, codes: .init(.stolen), isOverridable: false)
  private static let start = Instant("2026-11-23T06:10:00Z")!
  private static let seconds = 3_600
  private static let checksOfSecond = 20
  private static let eventLoop = MultiThreadedEventLoopGroup.singleton.any()

  /// Every tenth is on the list.
  private static func imei(_ number: Int) -> IMEI {
    IMEI(number: 35_209_900_000_000 + UInt64(number))!
  }

  private static func keeper(in directory: String) throws -> (SmallRegistry, ListKeeper) {
    var registry = SmallRegistry()
    registry.issuedAt = start
    for number in stride(from: 0, to: 1_000, by: 10) { registry.commit(.imei(imei(number)), black) }
    let keeper = try SmallRegistry.keeper(in: directory)
    try registry.writeSnapshot(to: keeper.partPath)
    _ = try keeper.installPart(asOf: start)
    return (registry, keeper)
  }

  /// What the network gets for a device; nil where it would have to wait.
  private static func answer(_ judge: Judge, _ number: Int, _ subscriber: Int, _ now: Instant)
    throws -> CheckAnswer?
  {
    let digits = String(1_000_000_000 + subscriber)
    let query = CheckQuery(
      identity: .device(IMEISV(imei: imei(number % 1_000), softwareVersion: nil)),
      imsi: try IMSI(digits: Array("00101\(digits)".utf8)))
    let reply = judge.answer(query, from: .s13, asOf: now, on: eventLoop)
    guard case .now(let answer) = reply else { return nil }
    return answer
  }

  @Test func `for an hour under load no check fails, and all that is to be told is on disk`()
    async throws
  {
    let scratch = try Scratch()
    let threads = NIOThreadPool(numberOfThreads: 2)
    threads.start()
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    var (registry, keeper) = try Self.keeper(in: scratch.path)
    let sightings = try SightingLoop(
      directory: scratch.path + "/sightings",
      parameters: ParametersKeeper(path: scratch.path + "/exchange.parameters"),
      threads: threads, logger: logger)
    let events = try DeviceEvents(
      EventsSettings(url: "http://127.0.0.1:9/"), directory: scratch.path, threads: threads,
      logger: logger)
    var settings = NodeSettings(
      directory: scratch.path, registry: SmallRegistry.name, feed: SmallRegistry.feed)
    settings.decision.onFailure = .grey
    let judge = Judge(
      inForce: try DecisionKeeper(settings: settings, asOf: Self.start), keeper: keeper,
      counters: CheckCounters(), checkLog: CheckLog(path: nil), sightings: sightings.notes,
      devices: events.memory)

    var number = 0
    for second in 0..<Self.seconds {
      let now = Self.start.adding(seconds: Int64(second))
      for _ in 0..<Self.checksOfSecond {
        // A subscriber comes back with another device.
        let (subscriber, device) = (number % 20_000, number + number / 20_000)
        let answer = try Self.answer(judge, device, subscriber, now)
        #expect(answer == (device % 10 == 0 ? .black : .unknown))
        number += 1
      }
      if second % 2 == 1 { #expect(await sightings.flush()) }
      if second % 4 == 3 { #expect(try events.write(asOf: now)) }
    }
    #expect(sightings.notes.counts == .init(noted: number, dropped: 0))
    #expect(sightings.notes.pendingCount == 0)
    #expect(sightings.queue.count == Self.seconds / 2 && !sightings.queue.isNarrow)
    try Self.expectOnDisk(scratch.path + "/sightings", lines: number)
    let made = events.memory.counts
    #expect(made == .init(made: number - 20_000, dropped: 0) && events.counts.dropped == 0)
    try Self.expectOnDisk(scratch.path + "/devices.events", lines: made.made)

    // Seven days after its last word the list is not trusted, to the second.
    let last = Self.start.adding(seconds: settings.decision.listAgeMaxSeconds)
    #expect(try Self.answer(judge, 0, 0, last) == .black)
    #expect(try Self.answer(judge, 0, 0, last.adding(seconds: 1)) == .grey)
    #expect(try Self.answer(judge, 1, 0, last.adding(seconds: 1)) == .grey)
    let back = last.adding(seconds: 3_600)
    registry.issuedAt = back
    #expect(
      try keeper.take(registry.received(after: registry.position), asOf: back) == .confirmed)
    #expect(try Self.answer(judge, 0, 0, back) == .black)
    #expect(try Self.answer(judge, 1, 0, back) == .unknown)
    try await threads.shutdownGracefully()
  }

  private static func expectOnDisk(_ directory: String, lines: Int) throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: directory)
    let found = try files.reduce(0) { sum, name in
      let content = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(name)"))
      return sum + content.count { $0 == 0x0A }
    }
    #expect(found == lines)
  }
}

import DeviceIdentity
import DeviceLists
import ExchangeTrust
import Foundation
import ListExchange
import ListIndex
import Logging
import NIOPosix
import Simulation
import Testing

@testable import EIRNode

/// A node that is served by files, within this process: its list, its mirror and its loop.
final class FilesDesk {
  static let black = EntryClass(
    status: .black, codes: .init(.stolen), isOverridable: false)

  let scratch: Scratch
  let mirror: Mirror
  let outbox: String
  let state = FilesState()
  var registry = SmallRegistry()
  private(set) var keeper: ListKeeper?
  private var running: Task<Void, Never>?
  private let trusted: TrustedFiles

  init() throws {
    scratch = try Scratch()
    mirror = try Mirror(in: scratch.path)
    outbox = scratch.path + "/sent"
    trusted = try TrustedFiles(
      TestAuthority.shared.write(
        .node(SmallRegistry.alpha, NodeName("eir-1")!), to: scratch.path + "/tls", name: "node"))
    registry.issuedAt = .now()
    add(10)
  }

  deinit { running?.cancel() }

  func add(_ count: Int) {
    for _ in 0..<count {
      let number = 35_209_900_000_000 + registry.position.number
      registry.commit(.imei(IMEI(number: number)!), Self.black)
    }
  }

  /// Opens the list and takes what comes.
  func start() throws {
    let keeper = try SmallRegistry.keeper(in: scratch.path + "/list")
    self.keeper = keeper
    var settings = FilesSettings(directory: mirror.path)
    settings.outbox = outbox
    settings.pollSeconds = 1
    var logger = Logger(label: "node")
    logger.logLevel = .critical
    let proof = SignatureProof(files: trusted, registry: SmallRegistry.name)
    let loop = FilesLoop(
      settings: settings, registry: SmallRegistry.name, feed: SmallRegistry.feed, keeper: keeper,
      threads: .singleton, logger: logger, state: state,
      prove: { try await proof.prove($0, asOf: .now()) }, wantAgain: nil,
      outgoing: try OutgoingFiles(
        folder: outbox, statePath: scratch.path + "/list/files.sent", code: SmallRegistry.alpha,
        node: NodeName("eir-1")!))
    running = Task { await loop.run() }
  }

  func stop() async {
    running?.cancel()
    _ = await running?.result
    (running, keeper) = (nil, nil)
  }

  var position: UInt64? { keeper?.current?.head.position.number }

  /// Waits until the whole list is the registry's.
  func untilLevel() async throws {
    try await eventually("the list is the registry's") {
      keeper?.current?.head.digest == registry.digest && position == registry.position.number
    }
    try registry.expectSame(as: keeper?.current)
  }

  /// The text of each file that was handed over, by its kind, in their order.
  func sent(_ kind: InboundName.Kind) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: outbox)
      .filter { $0.hasSuffix("_\(kind.rawValue).csv") && !$0.hasPrefix(".") }.sorted()
      .map { try String(contentsOfFile: "\(outbox)/\($0)", encoding: .utf8) }
  }
}

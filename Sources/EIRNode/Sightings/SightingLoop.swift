import AsyncHTTPClient
import DeviceLists
import ListExchange
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Brings what was noted to the disk, and from there to the registry, until it is cancelled.
/// Nothing leaves memory before it is on disk, nothing leaves the disk before the registry has it.
final class SightingLoop: Sendable {
  /// Grey and black are with the registry within 10 seconds where it answers.
  static let between = Duration.seconds(2)
  private static let patience = TimeAmount.seconds(60)
  /// A file every two seconds for more than a day. Beyond half of it only grey and black are kept.
  private static let limits = MessageQueue.Limits(
    bytes: 256 << 20, files: 50_000, messageBytes: ExchangeLimits.longestSightingsBytes)
  /// The registry refuses what is older than 31 days.
  private static let oldestSeconds: Int64 = 30 * 86_400

  struct Counts: Hashable, Sendable {
    var sent = 0
    /// Refused for ever by the registry, or too old for it.
    var refused = 0
  }

  let notes = SightingNotes()
  let queue: MessageQueue
  private let parameters: ParametersKeeper
  private let threads: NIOThreadPool
  private let logger: Logger
  private let state = Mutex(Counts())

  init(
    directory: String, parameters: ParametersKeeper, threads: NIOThreadPool, logger: Logger
  ) throws(NodeError) {
    queue = try MessageQueue(directory: directory, limits: Self.limits)
    self.parameters = parameters
    self.threads = threads
    self.logger = logger
    follow()
  }

  var counts: Counts { state.withLock { $0 } }

  private func follow() {
    notes.follow(parameters.state.inForce.sightings, isDiskFull: queue.isNarrow)
  }

  // MARK: To the disk

  /// False after a failure, which is said once.
  func flush(_ isNews: Bool = true) async -> Bool {
    follow()
    do {
      let hasRoom = try await threads.runIfActive { try self.writePending() }
      guard hasRoom || !isNews else {
        logger.warning("no more sightings are kept: the registry has not taken any for long")
        return false
      }
      return hasRoom
    } catch {
      if isNews {
        logger.warning("cannot keep sightings", metadata: ["reason": "\(error)"])
      }
      return false
    }
  }

  /// False where there is no room on disk for all.
  private func writePending() throws(NodeError) -> Bool {
    while true {
      let sightings = notes.oldest(ExchangeLimits.mostSightings)
      guard !sightings.isEmpty else { return true }
      guard try queue.append(RecordLines.write(sightings)) else { return false }
      notes.wrote(sightings.count)
    }
  }

  // MARK: To the registry

  func send(by client: RegistryClient) async {
    var backoff = Backoff()
    var chance = SystemRandomNumberGenerator()
    var isNews = true
    while !Task.isCancelled {
      var pause = Self.between
      do {
        while let batch = queue.oldest, !Task.isCancelled { try await send(batch, by: client) }
        backoff.succeeded()
        isNews = true
      } catch {
        if isNews, !Task.isCancelled {
          logger.warning(
            "sightings wait: the registry does not take them", metadata: ["reason": "\(error)"])
        }
        isNews = false
        pause = backoff.failed(using: &chance)
      }
      await WakeUp().wait(atMost: pause)
    }
  }

  private func send(_ batch: MessageQueue.Batch, by client: RegistryClient) async throws {
    let found = try await threads.runIfActive { [queue] in try queue.content(of: batch) }
    guard let content = found else {
      logger.warning("sightings are lost: another program has removed their file")
      return
    }
    let response = try await client.ask(
      .POST, ExchangePath.sightings, body: (ExchangePath.ndjson, content), key: batch.key,
      deadline: .now() + Self.patience)
    let lines = content.count { $0 == 0x0A }
    guard response.status == .ok else {
      let error = try await RegistryClient.problem(response).error
      guard Self.isForEver(error.code) || isTooOld(content, asOf: .now()) else {
        throw NodeError(error)
      }
      logger.error(
        "the registry refuses sightings, which are lost",
        metadata: ["count": "\(lines)", "code": "\(error.code.rawValue)"])
      try await drop(batch)
      return state.withLock { $0.refused += lines }
    }
    _ = try await response.body.collect(upTo: ExchangeLimits.longestDocumentBytes)
    try await drop(batch)
    state.withLock { $0.sent += lines }
  }

  private func drop(_ batch: MessageQueue.Batch) async throws {
    try await threads.runIfActive { [queue] in try queue.remove(batch) }
  }

  /// What will not be taken at another time either. A clock that differs may be set right.
  private static func isForEver(_ code: ExchangeCode) -> Bool {
    [400, 409, 413, 415, 422].contains(code.httpStatus) && code != .wrongTime
  }

  private func isTooOld(_ content: [UInt8], asOf now: Instant) -> Bool {
    guard let newest = (try? Sighting.lines(content))?.last?.seenAt else { return true }
    return now.seconds(since: newest) > Self.oldestSeconds
  }

  // MARK: By files

  /// Hands the oldest over as files; what was handed over is not kept here.
  func handOver(by outgoing: OutgoingFiles) async throws {
    while let batch = queue.oldest {
      try await threads.runIfActive { [queue] in
        guard let content = try queue.content(of: batch) else { return }
        let sightings = try Self.lines(content)
        if !sightings.isEmpty {
          try outgoing.write(.sightings, sightings.map(InboundRecord.sighting))
        }
        try queue.remove(batch)
        self.state.withLock { $0.sent += sightings.count }
      }
    }
  }

  private static func lines(_ content: [UInt8]) throws(NodeError) -> [Sighting] {
    do throws(ExchangeError) {
      return try Sighting.lines(content)
    } catch {
      throw NodeError(error)
    }
  }
}

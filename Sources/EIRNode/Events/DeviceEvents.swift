import AsyncHTTPClient
import DeviceLists
import ListExchange
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Tells the operator's own system that a subscriber has another device: from memory to the disk,
/// and from there to the system. Nothing leaves memory before it is on disk, nothing leaves the
/// disk before the system has it.
final class DeviceEvents: Sendable {
  static let betweenFlushes = Duration.seconds(1)
  /// How long the delivery sleeps where nothing wakes it.
  private static let betweenLooks = Duration.seconds(10)
  private static let mostEventsOfMessage = 1_000
  /// A day of one message each second, and no more than the disk is to give.
  static let queueLimits = MessageQueue.Limits(
    bytes: 256 << 20, files: 86_400, messageBytes: 1 << 20)
  /// What has waited for longer is of no use any more, and personal.
  private static let oldestSeconds: Int64 = 30 * 86_400
  /// The file is written anew when it has this many records beyond twice the subscribers.
  private static let spareRecords = 1 << 20
  private static let forgettingSeconds: Int64 = 86_400

  struct Counts: Hashable, Sendable {
    var sent = 0
    /// No room on disk, or too old.
    var dropped = 0
  }

  private struct Disk {
    var file: DeviceFile
    var forgottenAt: Instant?
  }

  let memory: DeviceMemory
  let queue: MessageQueue
  private let webhook: Webhook
  private let threads: NIOThreadPool
  private let logger: Logger
  /// Held while the disk is waited for, by nobody who answers.
  private let disk: Mutex<Disk>
  private let state = Mutex(Counts())
  private let news = WakeUp()

  static func filePath(in directory: String) -> String { directory + "/devices.known" }
  private static func queuePath(in directory: String) -> String { directory + "/devices.events" }

  init(
    _ settings: EventsSettings, directory: String, threads: NIOThreadPool, logger: Logger
  ) throws(NodeError) {
    self.threads = threads
    self.logger = logger
    webhook = try Webhook(settings)
    queue = try MessageQueue(
      directory: Self.queuePath(in: directory), limits: Self.queueLimits)
    let memory = DeviceMemory(
      mostSubscribers: settings.subscribersMax, tellsFirst: settings.tellsFirst)
    self.memory = memory
    let (file, damagedCount) = try DeviceFile.recalled(from: Self.filePath(in: directory)) {
      memory.recall($0)
    }
    disk = Mutex(Disk(file: file))
    if damagedCount != 0 { memory.writeWholeNext() }
    if let damagedCount, damagedCount > 0 {
      logger.warning(
        "records of known devices are damaged and count for nothing",
        metadata: ["count": "\(damagedCount)"])
    }
  }

  var counts: Counts { state.withLock { $0 } }

  /// Where nobody is told any more, nothing personal stays.
  static func removeAll(in directory: String) throws(NodeError) {
    let path = filePath(in: directory)
    try SmallFile.remove(path)
    try SmallFile.remove(path + ".new")
    try MessageQueue.removeAll(in: queuePath(in: directory))
  }

  // MARK: To the disk

  /// False after a failure, which is said once.
  func flush(_ isNews: Bool = true) async -> Bool {
    do {
      let hasRoom = try await threads.runIfActive { try self.write(asOf: .now()) }
      if !hasRoom, isNews {
        logger.warning("events of devices are lost: the system that is told has not taken any")
      }
      return hasRoom
    } catch {
      if isNews {
        logger.warning("cannot keep events of devices", metadata: ["reason": "\(error)"])
      }
      return false
    }
  }

  /// Events go before what is known: after a crash between the two an event is made once more.
  ///
  /// - Returns: false where there was no room on disk for all.
  func write(asOf now: Instant) throws(NodeError) -> Bool {
    try disk.withLock { (disk) throws(NodeError) in
      forget(&disk, asOf: now)
      let known = memory.takeUnwritten()
      var isWritten = false
      // What was taken and is not written is in the table.
      defer { if !isWritten { memory.writeWholeNext() } }
      let hasRoom = try writeEvents()
      let most = 2 * memory.subscriberCount + Self.spareRecords
      if let known, disk.file.recordCount + known.count <= most {
        try disk.file.append(known)
      } else {
        try disk.file.replace { (write) throws(NodeError) in try memory.eachPart(write) }
      }
      isWritten = true
      return hasRoom
    }
  }

  private func forget(_ disk: inout Disk, asOf now: Instant) {
    if let last = disk.forgottenAt, 0..<Self.forgettingSeconds ~= now.seconds(since: last) {
      return
    }
    disk.forgottenAt = now
    guard memory.forget(notSeenFor: webhook.settings.forgetDays, asOf: now) > 0 else { return }
    memory.writeWholeNext()
  }

  private func writeEvents() throws(NodeError) -> Bool {
    var hasRoom = true
    while true {
      let events = memory.oldest(Self.mostEventsOfMessage)
      guard !events.isEmpty else { return hasRoom }
      if try queue.append(events.flatMap { Array($0.line.utf8) }) {
        news.ring()
      } else {
        hasRoom = false
        state.withLock { $0.dropped += events.count }
      }
      memory.wrote(events.count)
    }
  }

  // MARK: To the system

  /// Until it is cancelled.
  func deliver() async {
    let client = webhook.client()
    var backoff = Backoff()
    var chance = SystemRandomNumberGenerator()
    var isNews = true
    while !Task.isCancelled {
      do {
        while let batch = queue.oldest, !Task.isCancelled {
          try await deliver(batch, by: client)
          backoff.succeeded()
          isNews = true
        }
        await news.wait(atMost: Self.betweenLooks)
      } catch {
        if isNews, !Task.isCancelled {
          logger.warning(
            "events of devices wait: the system that is told does not take them",
            metadata: ["reason": "\(error)"])
        }
        isNews = false
        await WakeUp().wait(atMost: backoff.failed(using: &chance))
      }
    }
    // It fails only where it was shut down before.
    try? await client.shutdown()
  }

  /// By the first of its events; what cannot be read is of no use to anybody.
  private func isTooOld(_ content: [UInt8], asOf now: Instant) -> Bool {
    guard let made = DeviceEvent.moment(ofLine: content.prefix { $0 != 0x0A }) else { return true }
    return now.seconds(since: made) > Self.oldestSeconds
  }

  private func deliver(_ batch: MessageQueue.Batch, by client: HTTPClient) async throws {
    let found = try await threads.runIfActive { [queue] in try queue.content(of: batch) }
    guard let content = found else {
      logger.warning("events of devices are lost: another program has removed their file")
      return
    }
    let lines = content.count { $0 == 0x0A }
    do {
      let token = try await threads.runIfActive { [webhook] in try webhook.token() }
      try await webhook.post(content, key: batch.key, token: token, by: client)
      try await threads.runIfActive { [queue] in try queue.remove(batch) }
      state.withLock { $0.sent += lines }
    } catch {
      guard isTooOld(content, asOf: .now()) else { throw error }
      try await threads.runIfActive { [queue] in try queue.remove(batch) }
      state.withLock { $0.dropped += lines }
    }
  }
}

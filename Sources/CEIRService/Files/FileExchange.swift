package import DeviceLists
import Glibc
package import ListExchange
import ListIndex
package import Logging
import NIOPosix
package import RegistryStore
import ServiceLifecycle
import Synchronization

/// The file binding: writes the files of every operator that takes them, and takes in what they
/// hand over. `Schema/exchange/files.md`.
package struct FileExchange: Service {
  package struct Settings: Sendable {
    /// Holds a folder for each operator.
    package var directory: String
    /// How long the registry's own files stay in the outbox and the archive.
    package var keepDays: Int
    /// How long what operators have handed in stays in the archive.
    package var subscriberDays: Int

    package init(directory: String, keepDays: Int = 30, subscriberDays: Int = 90) {
      self.directory = directory
      self.keepDays = keepDays
      self.subscriberDays = subscriberDays
    }
  }

  static let pollInterval = Duration.seconds(1)
  static let betweenRemovals = Duration.seconds(3_600)

  let settings: Settings
  let registry: RegistryName
  let store: RegistryStore
  let lists: RegistryLists
  /// Throws while there is no certificate to sign with: then nothing is written.
  let signer: @Sendable () throws -> CheckpointSigner
  let metrics: CEIRMetrics
  let logger: Logger

  package init(
    settings: Settings, registry: RegistryName, store: RegistryStore, lists: RegistryLists,
    metrics: CEIRMetrics, logger: Logger,
    signer: @escaping @Sendable () throws -> CheckpointSigner
  ) {
    self.settings = settings
    self.registry = registry
    self.store = store
    self.lists = lists
    self.signer = signer
    self.metrics = metrics
    self.logger = logger
  }

  package func run() async throws {
    await cancelWhenGracefulShutdown {
      var lock: FilesLock?
      var pause = Backoff.ofService
      var isNews = true
      var removedAt: ContinuousClock.Instant?
      while !Task.isCancelled {
        do {
          if lock == nil { lock = try await self.takeLock(isNews: isNews) }
          isNews = false
          guard lock != nil else {
            try await Task.sleep(for: Self.pollInterval)
            continue
          }
          let isRemovalDue = removedAt.map { .now - $0 >= Self.betweenRemovals } ?? true
          try await self.work(asOf: .now, removesOld: isRemovalDue)
          if isRemovalDue { removedAt = .now }
          pause = Backoff.ofService
          try await Task.sleep(for: Self.pollInterval)
        } catch {
          guard !Task.isCancelled else { return }
          self.metrics.fileFailures.add()
          self.logger.error(
            "The exchange of files has stopped and will try again.",
            metadata: ["error": "\(String(reflecting: error))"])
          // Ends early only because the task is cancelled, which the loop looks at.
          try? await Task.sleep(for: pause.next())
        }
      }
    }
  }

  private func takeLock(isNews: Bool) async throws -> FilesLock? {
    let directory = settings.directory
    let lock = try await NIOThreadPool.singleton.runIfActive {
      guard mkdir(directory, 0o755) == 0 || errno == EEXIST else {
        throw FileError("The folder \(directory) cannot be made.")
      }
      return try FilesLock(directory: directory)
    }
    if lock == nil, isNews {
      logger.warning(
        "Another process has the files of operators: this one waits.",
        metadata: ["directory": "\(directory)"])
    }
    return lock
  }

  /// One pass over every operator. What fails for one does not keep the others waiting.
  package func work(asOf now: Instant, removesOld: Bool) async throws {
    let (operators, resends, parameters) = try await store.read { registry in
      let operators = try await registry.operators()
      var parameters: [OperatorCode: ParameterRecord] = [:]
      for code in operators.all {
        parameters[code] = try await registry.fileParameters(of: code)
      }
      return (operators, try await registry.resendsDue(), parameters)
    }
    for code in operators.all {
      guard let number = operators.number(.only(code)) else { continue }
      let folder = OperatorFolder(of: code, in: settings.directory)
      let isServed = parameters[code] != nil
      guard isServed || Folder.exists(folder.path) else { continue }
      try await reported(of: code) {
        try await NIOThreadPool.singleton.runIfActive { try folder.prepare() }
        let outbox = Outbox(
          code: code, number: number, folder: folder, registry: registry, store: store,
          logger: logger)
        if let record = parameters[code] { try await write(record, to: outbox, asOf: now) }
        for resend in resends where resend.code == code {
          try await show(resend.file, of: outbox)
        }
        if removesOld {
          try await outbox.removeOld(before: now.adding(days: -settings.keepDays))
        }
      }
      // Whatever an operator puts there does not keep its lists from it.
      try await reported(of: code) {
        let inbox = Inbox(code: code, folder: folder, store: store, logger: logger)
        _ = try await inbox.work(asOf: now)
        if removesOld {
          try await inbox.removeOld(before: now.adding(days: -settings.subscriberDays))
        }
      }
    }
  }

  private func reported(of code: OperatorCode, _ work: () async throws -> Void) async throws {
    do {
      try await work()
    } catch {
      guard !Task.isCancelled else { throw error }
      metrics.fileFailures.add()
      logger.error(
        "The files of an operator cannot be worked on at present.",
        metadata: ["operator": "\(code)", "error": "\(String(reflecting: error))"])
    }
  }

  private func write(
    _ record: ParameterRecord, to outbox: Outbox, asOf now: Instant
  ) async throws {
    guard let feed = lists.fileFeed(of: outbox.number) else { return }
    let signer = try signer()
    let parameters = try ExchangeParameters(json: Array(record.document.utf8))
    _ = try await outbox.work(feed, parameters: parameters, signer: signer, asOf: now)
  }

  private func show(_ file: ReplicationRecord, of outbox: Outbox) async throws {
    guard try await !outbox.show(file) else { return }
    logger.warning(
      "A file is wanted again that is kept no more.", metadata: ["file": "\(file.fileName)"])
  }
}

extension RegistryLists {
  /// What a node of this operator would hold now; nil while the lists are read.
  func fileFeed(of number: ScopeNumber) -> FileFeed? {
    feed(of: number).flatMap { FileFeed(all: $0.all, own: $0.own) }
  }
}

extension Instant {
  fileprivate func adding(days: Int) -> Instant { adding(seconds: 86_400 * Int64(days)) }
}

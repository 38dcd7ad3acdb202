package import DeviceLists
package import Logging
package import RegistryStore
import ServiceLifecycle

/// Erases what has been kept for long enough, hour by hour, in bounded steps: the journal before
/// its horizon, answers to repeated messages, queries, sightings and months of them, and the
/// subscribers of requests.
package struct Retention: Service {
  static let interval = Duration.seconds(3_600)

  /// Rows that went.
  package struct Outcome: Hashable, Sendable {
    package var journal = 0
    package var messages = 0
    package var queries = 0
    package var sightings = 0
    package var subscribers = 0
    /// Of months of sightings: the rows, and one more for each month.
    package var months = 0

    package init(
      journal: Int = 0, messages: Int = 0, queries: Int = 0, sightings: Int = 0,
      subscribers: Int = 0, months: Int = 0
    ) {
      self.journal = journal
      self.messages = messages
      self.queries = queries
      self.sightings = sightings
      self.subscribers = subscribers
      self.months = months
    }
  }

  private let store: RegistryStore
  private let settings: CEIRSettings
  private let reached: @Sendable () -> Position?
  private let metrics: CEIRMetrics
  private let logger: Logger

  /// `reached` is where the registry's own lists stand: the journal is not trimmed beyond it. Nil
  /// while they are being read.
  package init(
    store: RegistryStore, settings: CEIRSettings, metrics: CEIRMetrics, logger: Logger,
    reached: @escaping @Sendable () -> Position?
  ) {
    self.store = store
    self.settings = settings
    self.reached = reached
    self.metrics = metrics
    self.logger = logger
  }

  package func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do {
          let outcome = try await self.erase()
          if outcome != Outcome() { self.log(outcome) }
        } catch {
          guard !Task.isCancelled else { return }
          self.metrics.retentionFailures.add()
          self.logger.error(
            "Old data could not be erased; it is tried again in an hour.",
            metadata: ["error": "\(String(reflecting: error))"])
        }
        // A sleep that is cut short means that the service ends.
        try? await Task.sleep(for: Self.interval)
      }
    }
  }

  /// All that is due now; each step is a transaction of its own.
  package func erase() async throws -> Outcome {
    let (horizon, days) = (settings.journalHorizonDays, settings.subscriberDays)
    var outcome = Outcome()
    if let reached = reached() {
      outcome.journal = try await repeated {
        try await $0.trimJournal(days: horizon, notBeyond: reached)
      }
      metrics.trimmedRows.add(Int64(outcome.journal))
    }
    outcome.messages = try await repeated { try await $0.eraseMessages() }
    outcome.queries = try await repeated { try await $0.eraseQueries() }
    outcome.sightings = try await repeated { try await $0.eraseSightings(days: days) }
    outcome.subscribers = try await repeated { try await $0.eraseSubscribers(days: days) }
    outcome.months = try await repeated { try await $0.eraseMonth() }
    return outcome
  }

  private func repeated(
    _ step: @Sendable (RegistryTransaction) async throws -> Int
  ) async throws -> Int {
    var total = 0
    while !Task.isCancelled {
      let count = try await store.write { try await step($0) }
      guard count > 0 else { break }
      total += count
    }
    return total
  }

  private func log(_ outcome: Outcome) {
    logger.info(
      "What had been kept for long enough was erased.",
      metadata: [
        "journalRows": "\(outcome.journal)", "messages": "\(outcome.messages)",
        "queries": "\(outcome.queries)", "sightings": "\(outcome.sightings)",
        "subscribers": "\(outcome.subscribers)", "monthRows": "\(outcome.months)",
      ])
  }
}

import DeviceLists
import Logging
import NIOPosix

/// Reads the settings again, one reading after the other, while the node answers.
actor SettingsReloader {
  private let sources: SettingsSources
  private let inForce: DecisionKeeper
  private let keeper: ListKeeper
  private let checkLog: CheckLog
  /// Nil where nobody can be asked before a restart.
  private let asker: RegistryAsker?
  private let threads: NIOThreadPool
  private let logger: Logger
  private var last: Task<ReloadReport, any Error>?

  init(
    sources: SettingsSources, judge: Judge, threads: NIOThreadPool, logger: Logger
  ) {
    self.sources = sources
    inForce = judge.inForce
    keeper = judge.keeper
    checkLog = judge.checkLog
    asker = judge.asker
    self.threads = threads
    self.logger = logger
  }

  /// Takes the settings whole or, where one of them makes no sense, not at all.
  @discardableResult
  func reload() async throws -> ReloadReport {
    let before = last
    let task = Task {
      _ = await before?.result
      return try await readAndTake()
    }
    last = task
    return try await task.value
  }

  private func readAndTake() async throws -> ReloadReport {
    let (inForce, now) = (inForce, Instant.now())
    do {
      let read = try await NodeSettings.read(sources, for: .serve)
      if read.decision.asks, asker == nil {
        throw SettingsError(sentences: [
          "the CEIR is to be asked, and this node was started without its address: restart it"
        ])
      }
      let report = try await take(read, asOf: now)
      logger.notice(
        "the settings were read again",
        metadata: [
          "changed": "\(report.changed.joined(separator: ", "))",
          "needsRestart": "\(report.needsRestart.joined(separator: ", "))",
        ])
      return report
    } catch let error as SettingsError {
      logger.warning(
        "the settings that were read again are not used", metadata: ["reason": "\(error)"])
      try await threads.runIfActive { try inForce.refused(error, asOf: now) }
      throw error
    }
  }

  private func take(_ read: NodeSettings, asOf now: Instant) async throws -> ReloadReport {
    let (inForce, keeper, checkLog, logger) = (inForce, keeper, checkLog, logger)
    let report = try await threads.runIfActive {
      let report = try inForce.take(read, asOf: now)
      let settings = inForce.current.settings
      try keeper.limitBrake(to: settings.brake)
      do throws(NodeError) {
        try checkLog.move(to: settings.checkLog)
      } catch {
        logger.warning("cannot write the check log", metadata: ["reason": "\(error)"])
      }
      return report
    }
    if let milliseconds = inForce.current.settings.ask?.timeoutMilliseconds {
      asker?.setTimeout(milliseconds: milliseconds)
    }
    return report
  }

  /// After a signal nobody waits for the answer: it stands in the log and in `eir status`.
  func reloadUnasked() async {
    do {
      try await reload()
    } catch is SettingsError {
      // Said where it was refused.
    } catch {
      logger.warning("the settings cannot be read again", metadata: ["reason": "\(error)"])
    }
  }
}

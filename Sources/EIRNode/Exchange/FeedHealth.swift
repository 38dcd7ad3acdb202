package import DeviceLists
import Synchronization

/// How following goes: written by the feed loop, read by status and metrics.
package final class FeedHealth: Sendable {
  package struct Report: Hashable, Sendable {
    package var lastContact: Instant?
    /// When the registry last handed something over by itself.
    package var lastBroadcast: Instant?
    /// What is wrong at present; nil while all is well.
    package var trouble: String?
    package var isReachable = false
    package var isDiskFull = false
    package var deltas = 0
    package var changes = 0
    package var snapshots = 0
    package var failures = 0
    package var broadcasts = 0
  }

  private let state = Mutex(Report())

  package init() {}

  package var report: Report { state.withLock { $0 } }

  /// The registry has handed something over that is to be believed.
  package func broadcast(asOf now: Instant) {
    state.withLock { report in
      report.lastBroadcast = now
      report.lastContact = now
      report.isReachable = true
      report.broadcasts += 1
    }
  }

  package func answered(asOf now: Instant) {
    state.withLock { report in
      report.lastContact = now
      report.isReachable = true
    }
  }

  /// All is well again. True if it was not.
  package func recovered() -> Bool {
    state.withLock { report in
      let wasTroubled = report.trouble != nil
      report.trouble = nil
      report.isDiskFull = false
      return wasTroubled
    }
  }

  package func applied(changes: Int) {
    state.withLock { report in
      report.deltas += 1
      report.changes += changes
    }
  }

  package func installed() { state.withLock { $0.snapshots += 1 } }

  /// True if this was not yet said.
  package func failed(_ trouble: String, code: NodeError.Code?) -> Bool {
    state.withLock { report in
      let isNews = report.trouble != trouble
      report.trouble = trouble
      report.failures += 1
      if code == .registryUnreachable { report.isReachable = false }
      report.isDiskFull = code == .diskFull
      return isNews
    }
  }
}

import ListExchange
import Synchronization

/// How taking files goes, for people and programs.
package struct FilesReport: Hashable, Codable, Sendable {
  /// The number of the newest file that was taken.
  package var last: Int?
  package var taken = 0
  package var damaged = 0
  /// What is waited for.
  package var waiting: String?
  package var trouble: String?

  package init() {}

  package var text: String {
    let number = last.map { "file \($0)" } ?? "no file yet"
    let waiting = waiting.map { ", waiting: \($0)" } ?? ""
    let trouble = trouble.map { ", trouble: \($0)" } ?? ""
    return "\(number), \(taken) taken, \(damaged) damaged\(waiting)\(trouble)"
  }
}

/// Written by the loop, read by status and metrics.
package final class FilesState: Sendable {
  private let state = Mutex(FilesReport())

  package init() {}

  package var report: FilesReport { state.withLock { $0 } }

  func took(_ number: FileNumber) {
    state.withLock { report in
      report.last = max(report.last ?? 0, number.number)
      report.taken += 1
      report.waiting = nil
      report.trouble = nil
    }
  }

  func started(after number: FileNumber?) { state.withLock { $0.last = number?.number } }
  func foundDamage() { state.withLock { $0.damaged += 1 } }
  func wellAgain() { state.withLock { $0.trouble = nil } }

  /// True if this was not yet said.
  func waits(for what: String?) -> Bool {
    state.withLock { report in
      defer { report.waiting = what }
      return what != nil && report.waiting != what
    }
  }

  /// True if this was not yet said.
  func failed(_ trouble: String) -> Bool {
    state.withLock { report in
      defer { report.trouble = trouble }
      return report.trouble != trouble
    }
  }
}

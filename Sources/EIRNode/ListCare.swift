package import DeviceLists
import ListExchange
import ListIndex
import Logging
import NIOPosix
import Synchronization

/// What is known of the files of the list, for status and metrics.
package struct ListFileReport: Hashable, Codable, Sendable {
  /// When the file that is answered from was last read as a whole and was sound.
  package var soundAt: String?
  /// Whether it is damaged and nothing else is there to answer from.
  package var isDamaged = false
  /// Files that were refused since the start.
  package var refused = 0
  /// What was said of them last.
  package var notices: [String] = []

  init(_ notices: [ListIndex.Notice]) { add(notices) }

  mutating func add(_ notices: [ListIndex.Notice]) {
    let refusals = notices.count(where: \.isRefusal)
    guard refusals > 0 else { return }
    refused += refusals
    self.notices = notices.map(\.description)
  }

  /// A new file is there, and what was refused before is of no interest any more.
  mutating func written(asOf now: Instant) {
    soundAt = now.description
    isDamaged = false
    notices = []
  }

  /// For a terminal.
  var lines: [String] {
    var lines: [String] = []
    if isDamaged {
      lines.append("  file       DAMAGED; answering from it until the CEIR has sent another list")
    } else if let soundAt {
      lines.append("  file       read as a whole and sound at \(soundAt)")
    }
    return lines + notices.map { "  notice     \($0)" }
  }
}

extension ListIndex.Notice {
  var isRefusal: Bool {
    if case .refusedIndex = self { true } else { false }
  }

  var isOfOlderIndex: Bool {
    if case .olderIndex = self { true } else { false }
  }
}

extension ListKeeper {
  /// What is known of the file of the list.
  var file: ListFileReport { fileReport.withLock { $0 } }

  /// Reads the file of the list as a whole, beside everything else. Gives what there is to tell
  /// where it is damaged: an older one has taken its place, or another list must come.
  package func checkFile(asOf now: Instant) throws(NodeError) -> [String] {
    let damage = try Self.kept { () throws(ListIndexError) in try index.check(yielding: true) }
    guard let damage else {
      fileReport.withLock { $0.soundAt = now.description }
      return []
    }
    return try change { (state) throws(NodeError) in
      let notices = try Self.kept { () throws(ListIndexError) in try index.replace(damage) }
      if notices != nil {
        state.follower = FeedFollower(
          feed: state.follower.feed, registry: index.registry, head: index.current?.head)
      } else {
        state.isDamaged = true
      }
      fileReport.withLock { report in
        report.soundAt = nil
        report.isDamaged = notices == nil
        report.add(notices ?? [.refusedIndex(damage.error)])
      }
      return (notices ?? [.refusedIndex(damage.error)]).map(\.description)
    }
  }

  /// Writes a new index file when the changes since the last have become many. Gives what there is
  /// to tell where the old one turned out to be damaged.
  package func compactIfNeeded(asOf now: Instant) throws(NodeError) -> [String] {
    guard index.needsCompaction else { return [] }
    do throws(ListIndexError) {
      try index.compact(yielding: true)
      fileReport.withLock { $0.written(asOf: now) }
    } catch {
      switch error.code {
      case .compacting, .superseded: return []
      case .wrongHash: return try checkFile(asOf: now)
      default: throw NodeError(error)
      }
    }
    return []
  }
}

/// Looks after the file of the list, whatever way lists come: reads it as a whole after the start,
/// which does not wait for that, and then once a day; and writes it anew when much has changed.
struct ListCare: Sendable {
  private static let betweenCompactions = Duration.seconds(1)
  private static let betweenChecks = Duration.seconds(86_400)

  let keeper: ListKeeper
  let threads: NIOThreadPool
  let logger: Logger
  /// Told when the list is another, or another is needed.
  let replaced: @Sendable () -> Void

  func run() async {
    var nextCheck = ContinuousClock.now
    var isNews = true
    while !Task.isCancelled {
      do {
        if ContinuousClock.now >= nextCheck {
          nextCheck = .now + Self.betweenChecks
          tell(try await threads.runIfActive { try keeper.checkFile(asOf: .now()) })
        }
        tell(try await threads.runIfActive { try keeper.compactIfNeeded(asOf: .now()) })
        isNews = true
      } catch  where !Task.isCancelled {
        if isNews {
          logger.warning(
            "cannot look after the list; answering goes on", metadata: ["reason": "\(error)"])
        }
        isNews = false
      } catch { return }
      await WakeUp().wait(atMost: Self.betweenCompactions)
    }
  }

  private func tell(_ notices: [String]) {
    guard !notices.isEmpty else { return }
    for notice in notices {
      logger.error("a file of the list is damaged", metadata: ["notice": "\(notice)"])
    }
    replaced()
  }
}

import DeviceLists
package import ListExchange
import ListIndex
import Logging
import Synchronization

/// The node's exchange parameters, kept on disk so that a restart knows its style.
package final class ParametersKeeper: Sendable {
  private struct Content {
    var state: ParametersState
    /// The newest version that the registry has named.
    var announced = 0
  }

  private let path: String
  private let content: Mutex<Content>
  /// Rung when the registry names a version that is not known yet.
  let news = WakeUp()

  package init(path: String) throws(NodeError) {
    self.path = path
    content = Mutex(Content(state: try Self.read(path)))
  }

  package var state: ParametersState { content.withLock { $0.state } }

  package func announced(_ version: Int) {
    let isNew = content.withLock { content in
      content.announced = version
      return version > content.state.newestVersion
    }
    if isNew { news.ring() }
  }

  func next(at position: Position) -> ParametersState.Step {
    content.withLock { $0.state.next(announced: $0.announced, at: position) }
  }

  /// The registry has answered: what it named before is what it meant.
  func told(_ answer: ParametersAnswer) throws(NodeError) {
    try change { $0.told(answer) }
    content.withLock { $0.announced = $0.state.newestVersion }
  }

  func change(_ body: (inout ParametersState) -> Void) throws(NodeError) {
    try content.withLock { (content) throws(NodeError) in
      var state = content.state
      body(&state)
      guard state != content.state else { return }
      try SmallFile.replace(path, with: Self.text(of: state))
      content.state = state
    }
  }

  /// Two lines: the sets in force and proposed, and whether the second is confirmed.
  private static func text(of state: ParametersState) -> [UInt8] {
    let answer = ParametersAnswer(inForce: state.inForce, proposed: state.proposed)
    return answer.json + Array("\n\(state.isConfirmed ? "confirmed" : "open")\n".utf8)
  }

  private static func read(_ path: String) throws(NodeError) -> ParametersState {
    guard let bytes = try SmallFile.content(of: path) else { return ParametersState() }
    let lines = bytes.split(separator: 0x0A)
    guard lines.count == 2, let answer = try? ParametersAnswer(json: lines[0]) else {
      throw NodeError(
        .file, "\(path) is unreadable: remove it, and the registry is asked for it again")
    }
    return ParametersState(
      inForce: answer.inForce, proposed: answer.proposed,
      isConfirmed: lines[1].elementsEqual("confirmed".utf8))
  }
}

/// Fetches, confirms and takes up what the registry proposes, until it is cancelled.
struct ParametersLoop: Sendable {
  private static let betweenLooks = Duration.seconds(1)

  let parameters: ParametersKeeper
  let keeper: ListKeeper
  let client: RegistryClient
  /// Whether the registry can hand lists over here.
  let isListening: Bool
  let takesFiles: Bool
  let logger: Logger
  /// Rung when another style is in force.
  let wakeUp: WakeUp

  func run() async {
    var backoff = Backoff()
    var chance = SystemRandomNumberGenerator()
    var key = IdempotencyKey.random()
    var isNews = true
    while !Task.isCancelled {
      do {
        if try await step(key) {
          key = .random()
          continue
        }
        backoff.succeeded()
        isNews = true
        await parameters.news.wait(atMost: Self.betweenLooks)
      } catch {
        if isNews, !Task.isCancelled {
          logger.warning(
            "cannot settle the exchange parameters", metadata: ["reason": "\(error)"])
        }
        isNews = false
        await parameters.news.wait(atMost: backoff.failed(using: &chance))
      }
    }
  }

  /// False where nothing is to be done.
  private func step(_ key: IdempotencyKey) async throws -> Bool {
    switch parameters.next(at: keeper.current?.head.position ?? .start) {
    case .none: return false
    case .fetch: try parameters.told(await client.parameters())
    case .confirm(let version): try await confirm(version, key)
    case .adopt(let set):
      try parameters.change { $0.adopted(set) }
      logger.notice(
        "exchange parameters are in force",
        metadata: ["version": "\(set.version)", "style": "\(set.style.rawValue)"])
      wakeUp.ring()
    }
    return true
  }

  private func confirm(_ version: Int, _ key: IdempotencyKey) async throws {
    if let style = parameters.state.proposed?.style, style.isPushed, !isListening {
      throw NodeError(
        .settings,
        "the style \(style.rawValue) of version \(version) is not confirmed: exchange.listen is "
          + "not set, so that nothing can be handed over here")
    }
    if parameters.state.proposed?.style == .files, !takesFiles {
      throw NodeError(
        .settings,
        "the style files of version \(version) is not confirmed: files.directory is not set")
    }
    do {
      try await client.confirm(version, key: key)
      try parameters.change { $0.confirmed(version) }
    } catch let error as NodeError where error.code == .refused(.notProposed) {
      // Another set was proposed meanwhile.
      try parameters.told(await client.parameters())
      throw error
    }
  }
}

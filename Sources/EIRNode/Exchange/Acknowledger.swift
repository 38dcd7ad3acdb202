import DeviceLists
import ListExchange
import ListIndex
import Logging
import Synchronization

/// Rung when the registry is to be told where the list stands.
final class AcknowledgementBell: Sendable {
  private let isUrgent = Mutex(false)
  private let wakeUp = WakeUp()

  /// - Parameter isRepeated: whether it is to be told although nothing has changed.
  func ring(isRepeated: Bool = false) {
    if isRepeated { isUrgent.withLock { $0 = true } }
    wakeUp.ring()
  }

  fileprivate func wait(atMost duration: Duration) async { await wakeUp.wait(atMost: duration) }

  fileprivate func takeUrgency() -> Bool {
    isUrgent.withLock { urgent in
      defer { urgent = false }
      return urgent
    }
  }
}

/// Tells the registry what is on disk here, at most once a second: after a start, and whenever the
/// list has moved on or holds other subjects. What a restart has cut is thus said again.
struct Acknowledger: Sendable {
  static let between = Duration.seconds(1)
  /// Looks by itself so often, in case it was not told.
  private static let longestSleep = Duration.seconds(30)

  let keeper: ListKeeper
  let client: RegistryClient
  let logger: Logger
  let bell: AcknowledgementBell

  func run() async {
    var backoff = Backoff()
    var chance = SystemRandomNumberGenerator()
    var last: Acknowledgement?
    var open: (message: Acknowledgement, key: IdempotencyKey)?
    var isNews = true
    while !Task.isCancelled {
      if bell.takeUrgency() { last = nil }
      guard let message = present, message != last else {
        await bell.wait(atMost: last == nil ? Self.between : Self.longestSleep)
        continue
      }
      // The same message keeps its key when it is sent again.
      let key = open?.message == message ? open?.key ?? .random() : .random()
      open = (message, key)
      do {
        try await client.acknowledge(message, key: key)
        last = message
        backoff.succeeded()
        isNews = true
        await WakeUp().wait(atMost: Self.between)
      } catch {
        if isNews, !Task.isCancelled {
          logger.warning("cannot acknowledge", metadata: ["reason": "\(error)"])
        }
        isNews = false
        await WakeUp().wait(atMost: backoff.failed(using: &chance))
      }
    }
  }

  private var present: Acknowledgement? {
    keeper.current.map { list in
      Acknowledgement(standing: Standing(list.head), held: list.held.count)
    }
  }
}

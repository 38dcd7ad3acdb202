import CheckServer
import Synchronization

/// How many clients come from where.
final class GSUPClients: Sendable {
  private let counts = Mutex<[PeerOrigin: Int]>([:])

  /// False where there are `most` already.
  func admit(_ origin: PeerOrigin, most: Int) -> Bool {
    counts.withLock { counts in
      guard counts[origin, default: 0] < most else { return false }
      counts[origin, default: 0] += 1
      return true
    }
  }

  func remove(_ origin: PeerOrigin) {
    counts.withLock { counts in
      guard let count = counts[origin] else { return }
      counts[origin] = count > 1 ? count - 1 : nil
    }
  }
}

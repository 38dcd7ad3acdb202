import Synchronization

/// Lets a few tests at a time work with servers of their own. Swift Testing starts every test at
/// once; without this, what counts seconds waits for hundreds of others.
///
/// A seat is given back when its last holder is gone, also after a failure. Whoever holds one does
/// not wait for another.
package final class Seat: Sendable {
  /// Enough to keep the cores busy while some wait for a disk.
  private static let count = 8
  private static let hall = Mutex(Hall(free: count))

  private struct Hall {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  package static func take() async -> Seat {
    await withCheckedContinuation { continuation in
      let isFree = hall.withLock { hall in
        guard hall.free > 0 else {
          hall.waiting.append(continuation)
          return false
        }
        hall.free -= 1
        return true
      }
      if isFree { continuation.resume() }
    }
    return Seat()
  }

  private init() {}

  deinit {
    Self.hall.withLock { hall -> CheckedContinuation<Void, Never>? in
      guard !hall.waiting.isEmpty else {
        hall.free += 1
        return nil
      }
      return hall.waiting.removeFirst()
    }?.resume()
  }
}

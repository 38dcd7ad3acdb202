import Synchronization

/// Lets a few tests at a time work with servers of their own. Swift Testing starts every test at
/// once; without this, what counts seconds waits for hundreds of others.
package final class Seats: Sendable {
  /// For tests with a database: enough to keep the cores busy while some wait for a disk.
  static let shared = Seats(8)

  private struct Hall {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let hall: Mutex<Hall>

  package init(_ count: Int) { hall = Mutex(Hall(free: count)) }

  /// Waits for a seat. Whoever holds one does not ask for another.
  package func take() async -> Seat {
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
    return Seat(in: self)
  }

  fileprivate func giveBack() {
    hall.withLock { hall -> CheckedContinuation<Void, Never>? in
      guard !hall.waiting.isEmpty else {
        hall.free += 1
        return nil
      }
      return hall.waiting.removeFirst()
    }?.resume()
  }
}

/// Given back when its last holder is gone, also after a failure.
package final class Seat: Sendable {
  private let seats: Seats

  fileprivate init(in seats: Seats) { self.seats = seats }

  /// A seat for a test with a database.
  package static func take() async -> Seat { await Seats.shared.take() }

  deinit { seats.giveBack() }
}

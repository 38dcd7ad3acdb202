import Foundation
import Synchronization

/// When each request is due.
struct SteadyPace: Sendable {
  private let start = now()
  private let between: UInt64
  /// Nobody ever signals it: waiting for it is waiting for a moment.
  private let never = DispatchSemaphore(value: 0)

  init(perSecond: Double) { between = UInt64(1e9 / perSecond) }

  func wait(for number: Int) {
    let due = DispatchTime(uptimeNanoseconds: start + UInt64(number) * between)
    while DispatchTime.now() < due { _ = never.wait(timeout: due) }
  }

  func seconds(since number: Int) -> Double {
    Double(Self.now() - start) * 1e-9 - Double(UInt64(number) * between) * 1e-9
  }

  fileprivate static func now() -> UInt64 { DispatchTime.now().uptimeNanoseconds }
}

/// When each of some things happened, noted by one thread and read by another.
final class Moments: Sendable {
  private let noted: Mutex<[UInt64]>

  init(count: Int) { noted = Mutex([UInt64](repeating: 0, count: count)) }

  func note(_ number: Int) {
    let now = SteadyPace.now()
    noted.withLock { $0[number] = now }
  }

  func seconds(since number: Int) -> Double {
    Double(SteadyPace.now() - noted.withLock { $0[number] }) * 1e-9
  }
}

import Foundation

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

  private static func now() -> UInt64 { DispatchTime.now().uptimeNanoseconds }
}

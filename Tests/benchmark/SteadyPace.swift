import Glibc

/// When each request is due.
struct SteadyPace: Sendable {
  private let start = now()
  private let between: Int

  init(perSecond: Double) { between = Int(1e9 / perSecond) }

  func wait(for number: Int) {
    let due = start + number * between
    var time = timespec(tv_sec: due / 1_000_000_000, tv_nsec: due % 1_000_000_000)
    while clock_nanosleep(CLOCK_MONOTONIC, Int32(TIMER_ABSTIME), &time, nil) == EINTR {}
  }

  func seconds(since number: Int) -> Double {
    Double(Self.now() - start - number * between) * 1e-9
  }

  /// Nanoseconds.
  private static func now() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}

package import DeviceLists
import Glibc

extension Instant {
  /// By the system's clock.
  package static var now: Instant { Instant(secondsSinceEpoch: Int64(time(nil))) }
}

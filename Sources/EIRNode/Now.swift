package import DeviceLists

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Instant {
  /// The machine's clock. Read at the edge only; inside, time is an argument.
  package static func now() -> Instant { Instant(secondsSinceEpoch: Int64(time(nil))) }
}

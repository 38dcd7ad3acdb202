import CheckServer
import Logging

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How many files and connections this process may have open at once.
enum OpenFiles {
  /// The list, its log, threads, tools, the registry and what else is open beside connections.
  private static let beside = 512

  #if canImport(Glibc)
    private static let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  #else
    private static let kind = RLIMIT_NOFILE
  #endif

  /// Raises the limit to what the process may raise it to, and says where that is less than the
  /// listeners' own limits on connections.
  static func raiseLimit(for settings: NodeSettings, logger: Logger) {
    var limit = rlimit()
    guard getrlimit(kind, &limit) == 0 else { return }
    if limit.rlim_cur < limit.rlim_max {
      var raised = limit
      raised.rlim_cur = limit.rlim_max
      // Where it is refused, the limit stays what it was.
      if setrlimit(kind, &raised) == 0 { limit = raised }
    }
    let needed = needed(by: settings)
    guard limit.rlim_cur < needed else { return }
    logger.warning(
      "fewer files may be open than connections are allowed: raise the hard limit (LimitNOFILE)",
      metadata: ["limit": "\(limit.rlim_cur)", "needed": "\(needed)"])
  }

  /// For all connections that the listeners accept.
  static func needed(by settings: NodeSettings) -> Int {
    let n17 = CheckServerLimits()
    var count = beside + n17.connections + n17.turnedAway
    if let s13 = settings.s13 {
      let listeners = [s13.listen, s13.tlsListen, s13.sctpListen].count { $0 != nil }
      count += listeners * S13Limits().stream.connections
    }
    // Each client has a connection to the HLR of its own.
    if settings.gsup != nil { count += 2 * GSUPLimits.connections }
    return count
  }
}

/// How long to wait after failures in a row: doubled each time up to a limit, with chance in it so
/// that many nodes do not come back at once.
package struct Backoff: Sendable {
  package var shortestMilliseconds: Int
  package var longestMilliseconds: Int
  private var failures = 0

  package init(shortestMilliseconds: Int = 500, longestMilliseconds: Int = 30_000) {
    self.shortestMilliseconds = shortestMilliseconds
    self.longestMilliseconds = longestMilliseconds
  }

  package mutating func succeeded() { failures = 0 }

  /// From half to the whole of the present step.
  package mutating func failed(using chance: inout some RandomNumberGenerator) -> Duration {
    let step = min(shortestMilliseconds << min(failures, 16), longestMilliseconds)
    failures += 1
    return .milliseconds(Int.random(in: (step / 2)...step, using: &chance))
  }
}

import ListExchange

extension Backoff {
  /// For work within the registry: from a tenth of a second to five.
  static var ofService: Backoff {
    Backoff(shortestMilliseconds: 100, longestMilliseconds: 5_000)
  }

  mutating func next() -> Duration {
    var chance = SystemRandomNumberGenerator()
    return failed(using: &chance)
  }
}

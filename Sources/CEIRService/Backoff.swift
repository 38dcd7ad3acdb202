/// Waits that double from a tenth of a second to five, each by a random part shorter, so that many
/// who failed together do not come back together.
package struct Backoff: Sendable {
  static let first = 0.1
  static let longest = 5.0

  private var seconds = Self.first

  package init() {}

  package mutating func next() -> Duration {
    defer { seconds = min(seconds * 2, Self.longest) }
    return .seconds(seconds * Double.random(in: 0.5...1))
  }
}

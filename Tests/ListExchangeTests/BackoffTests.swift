import ListExchange
import Simulation
import Testing

struct BackoffTests {
  @Test func `a wait grows to its limit and has chance in it`() {
    var chance = SeededGenerator(seed: 3)
    var backoff = Backoff()
    var waits: [Duration] = []
    for _ in 0..<20 { waits.append(backoff.failed(using: &chance)) }
    for (number, wait) in waits.enumerated() {
      let step = min(500 << number, 30_000)
      #expect(wait >= .milliseconds(step / 2) && wait <= .milliseconds(step))
    }
    #expect(Set(waits).count > 10)
    backoff.succeeded()
    #expect(backoff.failed(using: &chance) <= .milliseconds(500))
  }
}

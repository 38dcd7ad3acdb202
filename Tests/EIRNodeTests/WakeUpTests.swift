import Testing

@testable import EIRNode

/// No ring is lost, whenever it comes. The sleeps would be longer than any test.
struct WakeUpTests {
  @Test func `a ring between looking and sleeping ends the sleep`() async {
    let wakeUp = WakeUp()
    wakeUp.ring()
    wakeUp.ring()
    await wakeUp.wait(atMost: .seconds(86_400))
    let sleeper = Task { await wakeUp.wait(atMost: .seconds(86_400)) }
    wakeUp.ring()
    await sleeper.value
  }

  @Test func `one that is cancelled sleeps no longer`() async {
    let wakeUp = WakeUp()
    let sleeper = Task { await wakeUp.wait(atMost: .seconds(86_400)) }
    sleeper.cancel()
    await sleeper.value
  }
}

import DeviceLists
import Testing

@testable import ListExchange

struct ParametersStateTests {
  private static let followed = ExchangeParameters(version: 1)
  private static let pushed = ExchangeParameters(
    version: 2, style: .push, effectiveAfter: 50, endpoint: "https://[::1]:9443")

  @Test func `a proposed set is fetched, confirmed, waited for and adopted`() {
    var state = ParametersState(inForce: Self.followed)
    #expect(state.next(announced: 1, at: Position(10)) == .none)
    #expect(state.next(announced: 2, at: Position(10)) == .fetch)
    state.told(ParametersAnswer(inForce: Self.followed, proposed: Self.pushed))
    #expect(state.next(announced: 2, at: Position(10)) == .confirm(2))
    #expect(state.next(announced: 2, at: Position(99)) == .confirm(2))
    state.confirmed(2)
    #expect(state.next(announced: 2, at: Position(49)) == .none)
    #expect(state.inForce == Self.followed)
    #expect(state.next(announced: 2, at: Position(50)) == .adopt(Self.pushed))
    state.adopted(Self.pushed)
    #expect(state == ParametersState(inForce: Self.pushed))
    #expect(state.next(announced: 2, at: Position(50)) == .none)
  }

  @Test func `files count by the number of the replication`() {
    let files = ExchangeParameters(version: 2, style: .files, effectiveAfter: 4)
    let state = ParametersState(inForce: Self.followed, proposed: files, isConfirmed: true)
    #expect(state.next(at: Position(99), replication: 3) == .none)
    #expect(state.next(at: Position(0), replication: 4) == .adopt(files))
  }

  @Test func `a newer proposal takes the place of one, confirmed or not`() {
    var state = ParametersState(
      inForce: Self.followed, proposed: Self.pushed, isConfirmed: true)
    state.told(ParametersAnswer(inForce: Self.followed, proposed: Self.pushed))
    #expect(state.isConfirmed)
    let newer = ExchangeParameters(version: 3, effectiveAfter: 60)
    state.told(ParametersAnswer(inForce: Self.followed, proposed: newer))
    #expect(state.next(at: Position(99)) == .confirm(3))
    state.confirmed(2)
    #expect(!state.isConfirmed)
    state.told(ParametersAnswer(inForce: Self.followed, proposed: Self.pushed))
    #expect(state.proposed == newer)
  }

  @Test func `what the registry has put in force is in force`() {
    var state = ParametersState(inForce: Self.followed, proposed: Self.pushed)
    state.told(ParametersAnswer(inForce: Self.pushed))
    #expect(state == ParametersState(inForce: Self.pushed))
    state.told(ParametersAnswer(inForce: Self.followed, proposed: nil))
    #expect(state.inForce == Self.pushed)
  }

  @Test(arguments: [(1, true), (2, true), (3, false), (0, false)])
  func `only what is proposed can be confirmed, again if need be`(version: Int, isRight: Bool) {
    let state = ParametersState(inForce: Self.followed, proposed: Self.pushed)
    do throws(ExchangeError) {
      try state.checkConfirmation(of: version)
      #expect(isRight)
    } catch {
      #expect(!isRight)
      #expect(error.code == .notProposed)
    }
  }

  @Test(
    arguments: [
      (ExchangeParameters.Style.follow, 0, true), (.files, 99_999, false), (.push, 179, false),
      (.push, 180, true), (.pushAsync, 179, false), (.pushAsync, 180, true),
    ] as [(ExchangeParameters.Style, Int64, Bool)])
  func `a node that hears nothing for three windows asks by itself`(
    style: ExchangeParameters.Style, seconds: Int64, asks: Bool
  ) {
    let state = ParametersState(inForce: ExchangeParameters(version: 1, style: style))
    let heard = Samples.issuedAt
    #expect(
      state.asksByItself(silentSince: heard, asOf: heard.adding(seconds: seconds)) == asks)
  }
}

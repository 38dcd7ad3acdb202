import NIOCore
import Testing

@testable import EIRNode

/// TS 29.500, 5.2.3.3.2 and 5.2.3.3.3; the forms are those of its file of custom headers.
struct PatienceTests {
  /// 4 August 2019, 08:49:37.845 UTC.
  private static let moment: Int64 = 1_564_908_577_845

  @Test(arguments: [
    ("Sun, 04 Aug 2019 08:49:37.845 GMT", moment as Int64?),
    ("Thu, 01 Jan 1970 00:00:00.001 GMT", 1),
    ("Sun, 04 Aug 2019 08:49:37 GMT", nil),
    ("Sun, 04 Aug 2019 08:49:37.845 UTC", nil),
    ("Sun, 04 Foo 2019 08:49:37.845 GMT", nil),
    ("Sun, 32 Aug 2019 08:49:37.845 GMT", nil),
    ("Sun, 04 Aug 2019 24:49:37.845 GMT", nil),
    ("Sun, 04 Aug 2019 08:49:37.+45 GMT", nil),
    ("", nil),
  ])
  func `a time stamp has milliseconds`(text: String, milliseconds: Int64?) {
    #expect(Patience.milliseconds(text) == milliseconds)
  }

  @Test(arguments: [
    (nil, nil as Int64?, nil as Int64?),
    ("10000", nil, 9_990),
    ("99999", nil, 99_989),
    ("100000", nil, nil),
    ("", nil, nil),
    ("-5", nil, nil),
    ("5s", nil, nil),
    ("0", nil, 0),
    ("5", nil, 0),
    ("1000", 400, 590),
    // The consumer has given up already, or the clocks differ: the clocks are not believed.
    ("1000", 1_000, 990),
    ("1000", 60_000, 990),
    ("1000", -400, 990),
  ])
  func `what is left is the longest time less what has passed`(
    longest: String?, passed: Int64?, left: Int64?
  ) {
    let sent = passed.map { _ in "Sun, 04 Aug 2019 08:49:37.845 GMT" }
    let patience = Patience.left(
      longest: longest, sent: sent, asOf: Self.moment + (passed ?? 0))
    #expect(patience == left.map { .milliseconds($0) })
  }
}

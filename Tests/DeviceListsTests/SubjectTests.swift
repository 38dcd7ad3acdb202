import DeviceIdentity
import DeviceLists
import Simulation
import Testing

struct SubjectTests {
  @Test(arguments: [UInt64(7_304)])
  func `a subject is its kind and its keys`(seed: UInt64) throws {
    var lists = RandomLists(seed: seed, world: try SmallWorld())
    var kinds: Set<Subject.Kind> = []
    for _ in 0..<2_000 {
      let subject = lists.subject()
      let keys = subject.keys
      #expect(Subject(kind: subject.kind, first: keys.first, second: keys.second) == subject)
      #expect(Int64(exactly: keys.first) != nil && Int64(exactly: keys.second) != nil)
      kinds.insert(subject.kind)
    }
    #expect(kinds == Set(Subject.Kind.allCases))
  }

  @Test(arguments: [
    // Beyond the digits of the identity, a second key where there is none, a range turned round.
    (Subject.Kind.imei, 100_000_000_000_000, 0), (.imei, 1, 1), (.imei, UInt64.max, 0),
    (.range, 2, 1), (.range, 1, 100_000_000_000_000), (.range, UInt64.max, UInt64.max),
    (.tac, 100_000_000, 0), (.tac, 1 << 32, 0), (.tac, 1, 1), (.tac, UInt64.max, 0),
    (.pairing, 1, 0), (.pairing, 1, 1), (.pairing, 1, UInt64.max),
    (.pairing, 100_000_000_000_000, 5_000_000_000_000_001),
  ])
  func `numbers that are no keys are no subject`(kind: Subject.Kind, first: UInt64, second: UInt64)
  {
    #expect(Subject(kind: kind, first: first, second: second) == nil)
  }

  @Test func `a range contains both its ends`() throws {
    let (first, last) = (IMEI(unchecked: 10), IMEI(unchecked: 20))
    let range = try #require(IMEIRange(first: first, last: last))
    #expect(range.contains(first) && range.contains(last))
    #expect(!range.contains(IMEI(unchecked: 9)) && !range.contains(IMEI(unchecked: 21)))
    #expect(IMEIRange(first: last, last: first) == nil)
    #expect(IMEIRange(first: first, last: first)?.contains(first) == true)
    #expect(range.description == "00000000000010-00000000000020")
  }

  @Test(arguments: [
    ("a", true), ("red-1", true), ("1", true), ("abcdefghijklmnop", true),
    ("", false), ("all", false), ("-red", false), ("Red", false), ("red_1", false), ("réd", false),
    ("red 1", false), ("abcdefghijklmnopq", false), ("a/b", false), ("a.b", false),
  ])
  func `an operator's code is short, plain and not all`(text: String, isCode: Bool) {
    #expect((OperatorCode(text) != nil) == isCode)
    #expect(Scope(text)?.description == (isCode || text == "all" ? text : nil))
    guard let code = OperatorCode(text) else { return }
    #expect(Feed(of: code).contains(.all) && Feed(of: code).contains(.only(code)))
    #expect(OperatorCode("zz").map { Feed(of: code).contains(.only($0)) } == false)
    #expect(Feed(of: code).description == text)
  }

  @Test(arguments: [
    ("registry", true), ("XX-1.0/a", true), (String(repeating: "x", count: 32), true),
    ("", false), ("a b", false), ("a\"b", false), ("a\\b", false), ("a,b", false), ("é", false),
    ("a\u{7F}", false), (String(repeating: "x", count: 33), false),
  ])
  func `a registry's name stands in JSON and CSV as it is`(text: String, isName: Bool) {
    #expect(RegistryName(text)?.description == (isName ? text : nil))
  }

  @Test(arguments: [
    "", "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdef0",
    "0123456789ABCDEF0123456789abcdef", "+123456789abcdef0123456789abcdef",
    "0123456789abcdef 123456789abcdef", "０123456789abcdef0123456789abc",
  ])
  func `an epoch is 32 hexadecimal digits in lower case`(text: String) {
    #expect(Epoch(text) == nil)
    #expect(
      Epoch("0123456789abcdef00000000000000ff")
        == Epoch(high: 0x0123_4567_89AB_CDEF, low: 0xFF))
    #expect(Epoch(high: 1, low: 0).description == "00000000000000010000000000000000")
    var generator = SeededGenerator(seed: 5)
    let epoch = Epoch(using: &generator)
    #expect(Epoch(epoch.description) == epoch && epoch != Epoch(using: &generator))
  }

  @Test func `positions are dense and never overflow`() {
    #expect(Position.start.next == Position(1) && Position(9).next.description == "10")
    #expect(Position(UInt64.max) == .last && Position.last.next == .last)
    #expect(Int64(exactly: Position.last.number) == Int64.max)
    #expect(Position(1) < Position(2))
  }
}

import DeviceLists
import Testing

struct GroundCodeTests {
  /// The words of `Schema/exchange/codes.md`: they stand in journals and digests for ever. A code
  /// may be added here, never renamed or removed.
  static let words = [
    "barredTac", "courtOrder", "duplicate", "foreignBlock", "fraud", "genuineOwner", "lost",
    "malformed", "notApproved", "notRegistered", "operatorRequest", "ownershipClaim", "protected",
    "registered", "released", "simBox", "stolen", "tacAllocated", "tacNotAllocated",
    "technologyMismatch", "typeApproved",
  ]

  @Test func `the words are stable and stand in the order of their bytes`() {
    #expect(GroundCode.allCases.map(\.description) == Self.words)
    #expect(Self.words == Self.words.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    #expect(Self.words.allSatisfy { $0.utf8.count <= 255 && $0.utf8.allSatisfy { $0 < 0x80 } })
    #expect(GroundCode.allCases.count <= GroundCodeSet.RawValue.bitWidth)
  }

  @Test(arguments: GroundCode.allCases)
  func `a code is read from its word`(code: GroundCode) {
    #expect(GroundCode(word: code.description) == code)
    #expect(GroundCode(word: code.description.dropLast()) == nil)
    #expect(GroundCode(word: code.description.uppercased()) == nil)
  }

  @Test(arguments: [
    // DESIGN of the words: default list, grace, whether an exception lifts it.
    (GroundCode.barredTac, ListStatus.black, false, false), (.courtOrder, .black, false, false),
    (.duplicate, .black, true, true), (.foreignBlock, .black, false, true),
    (.fraud, .black, false, true), (.genuineOwner, .white, false, true),
    (.lost, .black, false, false), (.malformed, .black, true, true),
    (.notApproved, .black, true, true), (.notRegistered, .black, true, true),
    (.operatorRequest, .black, false, true), (.ownershipClaim, .grey, false, true),
    (.protected, .white, false, true), (.registered, .white, false, true),
    (.released, .white, false, true), (.simBox, .black, false, true),
    (.stolen, .black, false, false), (.tacAllocated, .white, false, true),
    (.tacNotAllocated, .black, true, true), (.technologyMismatch, .black, true, true),
    (.typeApproved, .white, false, true),
  ])
  func `each code has its default list, its grace and its weight`(
    code: GroundCode, status: ListStatus, hasGrace: Bool, isOverridable: Bool
  ) {
    #expect(code.defaultStatus == status)
    #expect(code.hasGrace == hasGrace)
    #expect(code.isOverridable == isOverridable)
    #expect(!code.hasGrace || code.defaultStatus == .black)
    #expect(code.isOverridable || code.defaultStatus == .black)
  }

  @Test func `a set lists its codes in the order of their words`() {
    let codes = GroundCodeSet([GroundCode.stolen, .barredTac, .lost])
    #expect(codes.codes == [.barredTac, .lost, .stolen])
    #expect(codes.description == "barredTac, lost, stolen")
    #expect(GroundCodeSet(GroundCode.allCases).codes == GroundCode.allCases)
    #expect(GroundCodeSet().codes == [])
    #expect(codes.contains(.lost) && !codes.contains(.fraud))
  }

  @Test func `statuses are those of Equipment-Status and weigh black over grey over white`() {
    // TS 29.272, 7.3.51.
    #expect(ListStatus.white.rawValue == 0 && ListStatus.black.rawValue == 1)
    #expect(ListStatus.grey.rawValue == 2)
    #expect(ListStatus.allCases.sorted { $0.weight < $1.weight } == [.white, .grey, .black])
    for status in ListStatus.allCases {
      #expect(ListStatus(word: status.description) == status)
      #expect(CheckAnswer(word: status.description) == CheckAnswer(status))
      #expect(CheckAnswer(status).description == status.description)
    }
    #expect(
      CheckAnswer(word: "unknown") == .unknown && CheckAnswer.unknown.description == "unknown")
    #expect(ListStatus(word: "unknown") == nil && CheckAnswer(word: "Black") == nil)
  }

  @Test func `a rule is named as it is written in the decision`() {
    #expect(
      DecisionRule.allCases.map(\.description) == [
        "override", "failure", "unusable", "noIMEI", "exempt", "final", "pairing",
        "noSubscriber", "localBlack", "imei", "subscriberRule", "range", "tac", "special", "mode",
      ])
  }
}

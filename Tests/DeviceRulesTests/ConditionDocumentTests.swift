import DeviceLists
import DeviceRules
import Foundation
import Testing

struct ConditionDocumentTests {
  private func condition(_ text: String) throws -> Condition {
    try JSONDecoder().decode(Condition.self, from: Data(text.utf8))
  }

  private func text(of value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  @Test func `a short document gets the usual values`() throws {
    let short = try condition(
      """
      {"label": "many", "reason": "Too many subscribers",
       "dimensions": [{"dimension": "manySubscribers", "threshold": 10}]}
      """)
    let expected = try Condition(
      label: "many", parts: [.init(.manySubscribers(ManySubscribers(threshold: 10)))],
      reason: "Too many subscribers")
    #expect(short == expected)
    #expect(short.graceDays == 30 && short.mostMatching == 0.1)
    #expect(!short.isBlocking && !short.isSticky && !short.isGreyDuringGrace)
    #expect(
      try text(of: short) == """
        {"amnestyEligible":false,"blocking":false,"dimensions":[{"counting":"imsi","days":60,\
        "dimension":"manySubscribers","inverted":false,"threshold":10}],"graceDays":30,\
        "greyDuringGrace":false,"label":"many","mostMatching":0.1,\
        "reason":"Too many subscribers","sticky":false}
        """)
  }

  @Test func `a full document is read whole`() throws {
    let full = try condition(
      """
      {"label": "new-tac", "reason": "Not allocated", "blocking": true, "sticky": true,
       "graceDays": 15, "groundCode": "tacNotAllocated", "amnestyEligible": true,
       "mostMatching": 0.02, "greyDuringGrace": true,
       "dimensions": [
         {"dimension": "tacNotAllocated", "ignoresDelays": true},
         {"dimension": "usedBy", "networks": ["310", "26201"], "months": 2, "inverted": true}]}
      """)
    #expect(full.groundCode == .tacNotAllocated && full.graceDays == 15)
    #expect(full.isBlocking && full.isSticky && full.isAmnestyEligible && full.isGreyDuringGrace)
    #expect(full.parts.map(\.isInverted) == [false, true])
    #expect(full.windows == [.months(2)])
  }

  /// Each kind with parameters other than the usual ones, and what is written of it.
  private static let dimensions: [String] = [
    #"{"dimension":"barred"}"#, #"{"dimension":"barredType"}"#, #"{"dimension":"goldenDevice"}"#,
    #"{"dimension":"malformedIdentity"}"#,
    #"{"counting":"person","dimension":"manySubscribers","months":2,"threshold":7}"#,
    """
    {"average":2.5,"counting":"msisdn","days":9,"dimension":"manySubscribersDaily",\
    "minimumDays":3}
    """,
    #"{"dimension":"monitored","minimumDays":4}"#, #"{"dimension":"notAssociated"}"#,
    #"{"dimension":"notRegistered"}"#, #"{"dimension":"notTypeApproved"}"#,
    #"{"dimension":"placeholderIdentity","includesZeroSerial":true}"#,
    """
    {"conflicts":3,"dimension":"placesTooFarApart","kilometresPerHour":900,\
    "minimumKilometres":80}
    """,
    #"{"codes":["foreignBlock","stolen"],"dimension":"reportedStolen"}"#,
    """
    {"dimension":"rotatingSubscribers","days":20,"mostDays":1,"share":0.5,"threshold":6}
    """,
    #"{"days":8,"dimension":"seenLately"}"#,
    #"{"countsUnknown":true,"days":8,"dimension":"subscriberNotOwner","threshold":2}"#,
    #"{"dimension":"subscriberOfManyDevices","threshold":30}"#,
    """
    {"counting":"msisdn","days":8,"dimension":"subscriberSequence","largestStep":3,"length":4,\
    "stepsAreEqual":false}
    """,
    #"{"dimension":"subscribersWithinSeconds","seconds":60,"subscribers":4}"#,
    #"{"dimension":"tacNotAllocated","ignoresDelays":true}"#,
    #"{"days":8,"dimension":"technologyNewerThanModel","generations":["4G","5G"]}"#,
    #"{"days":8,"dimension":"technologyNotSupported"}"#, #"{"dimension":"testType"}"#,
    #"{"average":1.5,"days":8,"dimension":"transientSubscribers"}"#,
    #"{"days":8,"dimension":"usedBy","subscribers":"otherLocal"}"#,
    #"{"days":8,"dimension":"usedBy","networks":["26201","310"]}"#,
  ]

  @Test(arguments: dimensions)
  func `what is written is read again`(dimension: String) throws {
    let document = #"{"label":"a","reason":"A","dimensions":["# + dimension + "]}"
    let condition = try condition(document)
    let written = try text(of: condition)
    #expect(try self.condition(written) == condition)
    // Every parameter that was read is written.
    let parameters = try JSONSerialization.jsonObject(with: Data(dimension.utf8))
    let all = try JSONSerialization.jsonObject(with: Data(written.utf8))
    let parts = try #require((all as? [String: Any])?["dimensions"] as? [[String: Any]])
    var expected = try #require(parameters as? [String: Any])
    expected["inverted"] = false
    #expect(NSDictionary(dictionary: parts[0]) == NSDictionary(dictionary: expected))
  }

  @Test func `every kind of dimension is in the table`() throws {
    let tried = Set(
      try Self.dimensions.map { text in
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        return try #require(object?["dimension"] as? String)
      })
    #expect(tried.sorted() == Dimension.names)
  }

  private static let refusals: [(dimension: String, sentence: String)] = [
    (#"{"threshold": 3}"#, "condition a, dimension 1: dimension is missing"),
    (
      #"{"dimension": "manySubscribers"}"#,
      "condition a, dimension 1 (manySubscribers): threshold is missing"
    ),
    (
      #"{"dimension": "manySubscribers", "threshold": 1}"#,
      "condition a, dimension 1 (manySubscribers): threshold must be 2 to 1000000 and is 1"
    ),
    (
      #"{"dimension": "manySubscribers", "threshold": 2.5}"#,
      "condition a, dimension 1 (manySubscribers): threshold must be a whole number"
    ),
    (
      #"{"dimension": "manySubscribers", "threshold": "2"}"#,
      "condition a, dimension 1 (manySubscribers): threshold must be a whole number"
    ),
    (
      #"{"dimension": "manySubscribers", "threshold": null}"#,
      "condition a, dimension 1 (manySubscribers): threshold must be a whole number"
    ),
    (
      #"{"dimension": "manySubscribers", "threshold": 2, "days": 30, "months": 1}"#,
      "condition a, dimension 1 (manySubscribers): give days or months, not both"
    ),
    (
      #"{"dimension": "manySubscribers", "threshold": 2, "days": 0}"#,
      "condition a, dimension 1 (manySubscribers): days must be 1 to 1800 and is 0"
    ),
    (
      #"{"dimension": "manySubscribers", "threshold": 2, "treshold": 3}"#,
      "condition a, dimension 1 (manySubscribers): there is no field treshold"
    ),
    (
      #"{"dimension": "manySubscribers", "threshold": 2, "counting": "imei"}"#,
      "condition a, dimension 1 (manySubscribers): counting must be one of imsi, msisdn, person "
        + "and is imei"
    ),
    (
      #"{"dimension": "manySubscribersDaily", "average": 2, "days": 4}"#,
      "condition a, dimension 1 (manySubscribersDaily): minimumDays is 5 of a window of 4 days"
    ),
    (
      #"{"dimension": "usedBy"}"#,
      "condition a, dimension 1 (usedBy): give either subscribers or networks"
    ),
    (
      #"{"dimension": "usedBy", "networks": ["3101"]}"#,
      "condition a, dimension 1 (usedBy): networks has 3101, which is no MCC and no PLMN"
    ),
    (
      #"{"dimension": "reportedStolen", "codes": ["theft"]}"#,
      "condition a, dimension 1 (reportedStolen): codes has theft, which is no ground code"
    ),
    (
      #"{"dimension": "technologyNewerThanModel", "generations": ["6G"]}"#,
      "condition a, dimension 1 (technologyNewerThanModel): generations has 6G, which is not 2G, "
        + "3G, 4G or 5G"
    ),
    (
      #"{"dimension": "subscriberSequence", "counting": "person"}"#,
      "condition a, dimension 1 (subscriberSequence): counting must be imsi or msisdn: people have "
        + "no order"
    ),
    (
      #"{"dimension": "rotatingSubscribers", "share": 1.5}"#,
      "condition a, dimension 1 (rotatingSubscribers): share must be 0.0 to 1.0 and is 1.5"
    ),
    (
      #"{"dimension": "testType", "days": 3}"#,
      "condition a, dimension 1 (testType): there is no field days"
    ),
    (
      #"{"dimension": "testType", "inverted": 1}"#,
      "condition a, dimension 1 (testType): inverted must be true or false"
    ),
    (#"{"dimension": 3}"#, "condition a, dimension 1: dimension must be a text"),
    ("3", "condition a: dimensions must be a list of objects"),
  ]

  @Test(arguments: refusals.indices)
  func `a dimension is refused with its place`(index: Int) throws {
    let (dimension, sentence) = Self.refusals[index]
    let error = #expect(throws: RuleError.self) {
      try condition(#"{"label": "a", "reason": "A", "dimensions": ["# + dimension + "]}")
    }
    #expect(error?.description == sentence)
  }

  @Test func `an unknown dimension is refused with those that there are`() throws {
    let error = #expect(throws: RuleError.self) {
      try condition(#"{"label": "a", "reason": "A", "dimensions": [{"dimension": "gsma"}]}"#)
    }
    let names = Dimension.names.joined(separator: ", ")
    #expect(
      error?.description
        == "condition a, dimension 1 (gsma): there is no such dimension; there are \(names)")
  }

  private static let whole: [(document: String, sentence: String)] = [
    ("[]", "condition: must be an object"),
    (#"{"reason": "A"}"#, "condition: label is missing"),
    (#"{"label": "a"}"#, "condition a: dimensions is missing"),
    (#"{"label": "a", "dimensions": []}"#, "condition a: reason is missing"),
    (
      #"{"label": "a", "dimensions": [], "reason": "A"}"#, "condition a: dimensions is empty"
    ),
    (#"{"label": "a", "dimensions": {}}"#, "condition a: dimensions must be a list of objects"),
    (
      #"{"label": "A", "dimensions": [{"dimension": "barred"}], "reason": "A"}"#,
      "condition: label must be 1 to 32 lower-case letters, digits and hyphens, a hyphen not first"
    ),
    (
      #"{"label": "a", "dimensions": [{"dimension": "barred", "inverted": true}], "reason": "A"}"#,
      "condition a: at least one dimension must not be inverted: else it finds every device but a "
        + "few"
    ),
    (
      #"{"label": "a", "dimensions": [{"dimension": "barred"}], "reason": "A|B"}"#,
      "condition a: reason must be 1 to 200 characters without | or line ends"
    ),
    (
      #"{"label": "a", "dimensions": [{"dimension": "barred"}], "reason": "A", "blocking": true}"#,
      "condition a: a blocking condition needs a groundCode"
    ),
    (
      """
      {"label": "a", "dimensions": [{"dimension": "barred"}], "reason": "A",
       "groundCode": "registered"}
      """, "condition a: groundCode registered stands for the white list"
    ),
    (
      """
      {"label": "a", "dimensions": [{"dimension": "barred"}], "reason": "A",
       "groundCode": "theft"}
      """, "condition a: groundCode is theft, which is no ground code"
    ),
    (
      """
      {"label": "a", "dimensions": [{"dimension": "barred"}], "reason": "A", "graceDays": -1}
      """, "condition a: graceDays must be 0 to 3650 and is -1"
    ),
    (
      """
      {"label": "a", "dimensions": [{"dimension": "barred"}], "reason": "A", "mostMatching": 0}
      """, "condition a: mostMatching must be 0.0001 to 1.0 and is 0.0"
    ),
    (
      #"{"label": "a", "dimensions": [{"dimension": "barred"}], "reason": "A", "grace_days": 3}"#,
      "condition a: there is no field grace_days"
    ),
  ]

  @Test(arguments: whole.indices)
  func `a condition is refused with a sentence`(index: Int) throws {
    let (document, sentence) = Self.whole[index]
    let error = #expect(throws: RuleError.self) { try condition(document) }
    #expect(error?.description == sentence)
  }

  @Test func `there is a limit to dimensions`() throws {
    let parts = Array(repeating: #"{"dimension": "barred"}"#, count: 17).joined(separator: ",")
    let error = #expect(throws: RuleError.self) {
      try condition(#"{"label": "a", "reason": "A", "dimensions": ["# + parts + "]}")
    }
    #expect(error?.description == "condition a: dimensions has more than 16 entries")
  }
}

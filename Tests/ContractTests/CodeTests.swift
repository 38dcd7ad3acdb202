import DeviceLists
import ListExchange
import Testing

/// Codes, words and limits stand in the document as in the code.
struct CodeTests {
  private func contract() throws -> Contract { try Contract.shared.get() }

  /// The words of a schema's `enum`.
  private func words(_ schema: JSON?) -> [String] {
    (schema?["enum"]?.array ?? []).compactMap(\.text)
  }

  @Test func `the document has every code and no other`() throws {
    let codes = try contract().schema("Code")?["enum"]?.array.compactMap(\.whole)
    #expect(codes == ExchangeCode.allCases.map { Int64($0.rawValue) })
  }

  @Test func `every answer names codes, and they are of its status`() throws {
    let contract = try contract()
    for (operation, status, response) in contract.responses where status >= "400" {
      let schema = response["content"]?[ExchangePath.problem]?["schema"] ?? .null
      let code = schema["allOf"]?.array.compactMap { $0["properties"]?["code"] }.first
      let numbers = (code?["enum"]?.array ?? code?["const"].map { [$0] } ?? []).compactMap(\.whole)
      #expect(!numbers.isEmpty, "\(operation.method) \(operation.path) \(status)")
      for number in numbers {
        let known = try #require(UInt16(exactly: number).flatMap { ExchangeCode(rawValue: $0) })
        #expect(String(known.httpStatus) == status, "\(operation.path) \(number)")
      }
    }
  }

  @Test func `the problems that are shown have the titles that are sent`() throws {
    let contract = try contract()
    for example in contract.examples where example.mediaType == ExchangePath.problem {
      let code = try #require(example.value["code"]?.whole)
      let known = try #require(ExchangeCode(rawValue: UInt16(code)))
      #expect(example.value["title"]?.text == known.title, "\(example.place)")
      #expect(example.value["status"]?.whole == Int64(known.httpStatus), "\(example.place)")
      #expect(example.value["type"]?.text == "/exchange/v1/codes#\(code)", "\(example.place)")
    }
  }

  @Test func `the words of lists and answers are those of the code`() throws {
    let contract = try contract()
    #expect(words(contract.schema("Ground")) == GroundCode.allCases.map(\.description))
    #expect(words(contract.schema("Rule")) == DecisionRule.allCases.map(\.description))
    #expect(words(contract.schema("Status")).allSatisfy { ListStatus(word: $0) != nil })
    #expect(words(contract.schema("CheckedStatus")).allSatisfy { CheckAnswer(word: $0) != nil })
    #expect(words(contract.schema("CheckedStatus")).count == 4)
  }

  @Test func `the words of messages are those of the code`() throws {
    let contract = try contract()
    func member(_ schema: String, _ names: String...) -> [String] {
      words(names.reduce(contract.schema(schema)) { $0?["properties"]?[$1] })
    }
    #expect(
      words(contract.schema("Technology")) == Sighting.Technology.allCases.map(\.rawValue))
    #expect(
      Set(words(contract.schema("RequestStateWord")))
        == Set(DeviceRequestAnswer.State.allCases.map(\.rawValue)))
    #expect(
      member("Parameters", "style") == ExchangeParameters.Style.allCases.map(\.rawValue))
    #expect(
      member("Parameters", "sightings", "send")
        == ExchangeParameters.Sightings.Amount.allCases.map(\.rawValue))
    #expect(member("OperatorRequest", "kind") == DeviceRequest.Kind.allCases.map(\.rawValue))
    #expect(
      member("OwnListChange", "operation") == OwnListChange.Operation.allCases.map(\.rawValue))
    #expect(
      member("BroadcastResp", "state") == BroadcastResponse.State.allCases.map(\.rawValue))
  }

  @Test func `the limits are those of the code`() throws {
    let contract = try contract()
    func most(_ schema: String, _ member: String) -> Int64? {
      contract.schema(schema)?["properties"]?[member]?["maxItems"]?.whole
    }
    #expect(most("LUStatusManyReq", "queries") == Int64(ExchangeLimits.mostQueriesAtOnce))
    #expect(most("QueriesReq", "queries") == Int64(ExchangeLimits.mostQueries))
    #expect(most("LUStatusManyResp", "answers") == Int64(ExchangeLimits.mostQueries))
    #expect(most("RequestPage", "requests") == Int64(ExchangeLimits.mostRequestsShown))
    #expect(most("Checkpoint", "mass") == Int64(ExchangeLimits.mostMassMarks))
    #expect(most("Checkpoint", "certificates") == Int64(ExchangeLimits.mostCertificates))
    #expect(
      contract.schema("Delta")?["maxItems"]?.whole == Int64(ExchangeLimits().mostChanges + 1))
    #expect(
      contract.schema("Reason")?["maxLength"]?.whole == Int64(ExchangeLimits.longestRemark))
    #expect(
      contract.schema("CaseReference")?["maxLength"]?.whole
        == Int64(ExchangeLimits.longestCaseReference))
    let wait = contract.operations.first { $0.path == ExchangePath.changes }?
      .description["parameters"]?.array.first { $0["name"]?.text == "wait" }
    #expect(wait?["schema"]?["maximum"]?.whole == Int64(ExchangeLimits.longestWaitSeconds))
  }
}

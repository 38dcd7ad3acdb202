import DeviceLists
import Testing

@testable import ListExchange

struct ManifestTests {
  @Test func `a manifest is read as it is written, and what is new in it is passed over`() throws {
    let manifest = try FileSamples.manifest(13, .incremental, after: 11, upTo: 20)
    #expect(try ReplicationManifest(json: manifest.json) == manifest)
    var text = FileSamples.text(manifest.json)
    text.insert(contentsOf: #""new":[{}],"#, at: text.index(after: text.startIndex))
    #expect(try ReplicationManifest(json: Array(text.utf8)) == manifest)
    #expect(manifest.dataFile == "demo_alpha_000000013_incremental.csv.gz")
  }

  @Test(arguments: [
    ("\"number\":13", "\"number\":0", ExchangeCode.manifestUnusable),
    ("\"number\":13", "\"number\":14", .manifestUnusable),
    ("demo_alpha_000000013_incremental.csv.gz", "/etc/passwd", .manifestUnusable),
    ("demo_alpha_000000013_incremental.csv.gz", "../x.csv", .manifestUnusable),
    ("\"kind\":\"incremental\"", "\"kind\":\"other\"", .unknownWord),
    ("\"kind\":\"incremental\"", "\"kind\":\"full\"", .manifestUnusable),
    ("\"bytes\":117", "\"bytes\":-1", .manifestUnusable),
    ("\"operator\":\"alpha\"", "\"operator\":\"beta\"", .manifestUnusable),
    ("\"registry\":\"demo\",\"operator\"", "\"registry\":\"XB\",\"operator\"", .manifestUnusable),
    ("\"signature\"", "\"other\"", .unsigned),
    ("\"checkpoint\"", "\"other\"", .manifestUnusable),
    ("{", "[", .manifestUnusable),
  ])
  func `a manifest that contradicts itself is refused`(
    from: String, to: String, code: ExchangeCode
  ) throws {
    let manifest = try FileSamples.manifest(13, .incremental, after: 11, upTo: 20)
    let text = FileSamples.text(manifest.json)
    let range = try #require(text.firstRange(of: from))
    let changed = text[..<range.lowerBound] + to + text[range.upperBound...]
    let error = #expect(throws: ExchangeError.self) {
      try ReplicationManifest(json: Array(changed.utf8))
    }
    #expect(error?.code == code, "\(String(describing: error))")
  }

  @Test func `a full file starts at the beginning, or its manifest is refused`() throws {
    let manifest = try FileSamples.manifest(13, .full, after: 11, upTo: 20)
    #expect(throws: ExchangeError(.wrongOrder, "a full file that starts after 11")) {
      try ReplicationManifest(json: manifest.json)
    }
    #expect(throws: ExchangeError.self) {
      try ReplicationManifest(json: [UInt8](repeating: 0x20, count: 70_000) + manifest.json)
    }
  }

  @Test func `a node's manifest is read as it is written`() throws {
    let name = InboundName(
      operatorCode: Samples.alpha, node: NodeName("eir-1")!, number: .first, kind: .ownDelta)
    let seal = FileSeal(
      compression: .none, bytes: 9, sha256: ContentHash(String(repeating: "a", count: 64))!)
    let manifest = InboundManifest(name: name, file: seal, records: 4)
    #expect(try InboundManifest(json: manifest.json) == manifest)
    #expect(
      FileSamples.text(manifest.json)
        == #"{"operator":"alpha","node":"eir-1","number":1,"kind":"own-delta","#
        + #""file":{"name":"alpha_eir-1_000000001_own-delta.csv","bytes":9,"sha256":""#
        + String(repeating: "a", count: 64) + #""},"records":4}"#)
  }

  @Test func `a response is read as it is written`() throws {
    let responses = [
      InboundResponse(number: .first, state: .processed, taken: 7, refused: 2),
      InboundResponse(
        number: nil, foreignName: "a\"b", state: .refused, code: .unknownName, detail: "a folder"),
    ]
    for response in responses {
      #expect(try InboundResponse(json: response.json) == response)
    }
    #expect(
      FileSamples.text(responses[0].json)
        == #"{"number":1,"state":"processed","taken":7,"refused":2}"#)
    #expect(
      FileSamples.text(
        RefusalFile.bytes([LineRefusal(line: 3, .unusableIdentity, "a, \"b\"")]))
        == "line,code,detail\n3,0009,\"a, \"\"b\"\"\"\n")
  }
}

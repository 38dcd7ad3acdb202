import DeviceLists
import ListExchange
import Testing

struct FileNameTests {
  @Test(arguments: [
    ("XA", "alfa", 12, "XA_alfa_000000012_full"),
    ("a_b", "x-1", 999_999_999, "a_b_x-1_999999999_full"),
    ("../etc", "alfa", 1, "%2E.%2Fetc_alfa_000000001_full"),
    ("a%b.c", "alfa", 1, "a%25b.c_alfa_000000001_full"),
  ])
  func `a replication's name is read as it is written`(
    registry: String, code: String, number: Int, stem: String
  ) throws {
    let name = ReplicationName(
      registry: try #require(RegistryName(registry)),
      operatorCode: try #require(OperatorCode(code)),
      number: try #require(FileNumber(number)), kind: .full)
    #expect(name.stem == stem)
    #expect(ReplicationName(stem: stem) == name)
    #expect(ReplicationName(manifest: stem + ".json") == name)
    #expect(!stem.contains("/"))
    let read = ReplicationName.reading(data: stem + ".csv.gz")
    #expect(read?.name == name)
    #expect(read?.compression == .gzip)
  }

  @Test(arguments: [
    "XA_alfa_12_full", "XA_alfa_000000000_full", "XA_alfa_0000000012_full", "alfa_000000012_full",
    "XA_Alfa_000000012_full", "XA_alfa_000000012_other", "X/A_alfa_000000012_full",
    "%58A_alfa_000000012_full", "XA%_alfa_000000012_full", "XA_all_000000012_full", "",
    "XA_alfa_+00000012_full", "XA_alfa_000000012_full ", ".XA_alfa_000000012_full",
  ])
  func `what is no name of ours is none`(stem: String) {
    #expect(ReplicationName(stem: stem) == nil)
  }

  @Test func `the name of each kind of a node's file is read as it is written`() throws {
    for kind in InboundName.Kind.allCases {
      let name = InboundName(
        operatorCode: try #require(OperatorCode("alfa")), node: try #require(NodeName("eir-1")),
        number: try #require(FileNumber(5)), kind: kind)
      #expect(name.stem == "alfa_eir-1_000000005_\(kind.rawValue)")
      #expect(InboundName(stem: name.stem) == name)
      #expect(name.response == name.stem + ".response.json")
    }
    for stem in ["alfa_000000005_requests", "a_b_c_000000005_requests", "alfa_eir-1_5_requests"] {
      #expect(InboundName(stem: stem) == nil)
    }
  }
}

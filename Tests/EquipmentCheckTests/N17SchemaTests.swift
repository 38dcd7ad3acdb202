import EquipmentCheck
import Foundation
import Testing

struct N17SchemaTests {
  private static let text: String = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return (try? String(contentsOf: root.appending(path: "Schema/n17.yaml"), encoding: .utf8)) ?? ""
  }()

  @Test(arguments: N17Refusal.allCases)
  func `the description names every status and cause that is sent`(refusal: N17Refusal) {
    #expect(Self.text.contains("\"\(refusal.status)\":"))
    if let cause = refusal.cause { #expect(Self.text.contains("cause: \(cause)")) }
  }

  @Test(arguments: N17Parameter.allCases)
  func `the description names every parameter`(parameter: N17Parameter) {
    #expect(Self.text.contains("- name: \(parameter.rawValue)\n"))
  }
}

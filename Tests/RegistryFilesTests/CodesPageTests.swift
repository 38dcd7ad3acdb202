import DeviceLists
import Foundation
import RegistryFiles
import Testing

/// `Schema/exchange/codes.md` names what files and grounds can be answered with.
struct CodesPageTests {
  private static let page = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Schema/exchange/codes.md")

  @Test func `every refusal of a line has its number on the page`() throws {
    let text = try String(contentsOf: Self.page, encoding: .utf8)
    for code in RefusalCode.allCases {
      #expect(text.contains("\n| \(code.rawValue) | "), "\(code)")
    }
  }

  @Test func `every ground is on the page with its list`() throws {
    let text = try String(contentsOf: Self.page, encoding: .utf8)
    for code in GroundCode.allCases {
      let overridable =
        code.defaultStatus == .black ? (code.isOverridable ? "yes" : "no") : "–"
      let grace = code.hasGrace ? "yes" : "no"
      #expect(
        text.contains("\n| `\(code)` | \(code.defaultStatus) | \(grace) | \(overridable) | "))
    }
  }
}

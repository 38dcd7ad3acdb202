import DeviceRules
import Foundation
import Testing

/// `Schema/rules.md` is what a regulator reads: it must be true.
struct RulesPageTests {
  private static let page: String = {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
    let file = folder.appending(path: "../../Schema/rules.md")
    return (try? String(contentsOf: file, encoding: .utf8)) ?? ""
  }()

  /// What stands between ```` ```json ```` and ```` ``` ````.
  private func example(_ index: Int) throws -> Data {
    let blocks = Self.page.components(separatedBy: "```json\n").dropFirst().map {
      $0.components(separatedBy: "```")[0]
    }
    #expect(blocks.count == 2)
    return Data(try #require(blocks.count > index ? blocks[index] : nil).utf8)
  }

  @Test func `the example is a set of conditions that can be applied`() throws {
    let conditions = try JSONDecoder().decode([Condition].self, from: example(0))
    let settings = try JSONDecoder().decode(RuleSettings.self, from: example(1))
    #expect(conditions.count == 8)
    let rules = try Ruleset(
      conditions: conditions, settings: settings, networks: [],
      asOf: #require(Day("2026-11-20")))
    #expect(rules.period.months.map(\.description).first == "2026-07")
  }

  @Test func `every dimension has its row and every peer its name`() {
    for name in Dimension.names {
      #expect(Self.page.contains("| `\(name)` |"), "\(name)")
    }
    // The dimensions of DIRBS-Core 16.
    for name in [
      "gsma_not_found", "stolen_list", "duplicate_threshold", "duplicate_daily_avg",
      "daily_avg_uid", "malformed_imei", "not_on_registration_list", "inconsistent_rat",
      "is_test_tac", "exists_in_barred_list", "is_barred_tac", "exists_in_monitoring_list",
      "not_on_association_list", "used_by_dirbs_subscriber", "used_by_local_non_dirbs_roamer",
      "used_by_international_roamer", "transient_imei",
    ] {
      #expect(Self.page.contains("`\(name)`"), "\(name)")
    }
  }
}

import Testing

/// The test of the code base itself.
struct TidyTests {
  typealias Guard = @Sendable (SourceFile) -> [Finding]

  private static let guards: [(String, Guard)] = [
    ("imports", { Guards.imports($0) }), ("length", { Guards.length($0) }),
    ("leftovers", { Guards.leftovers($0) }), ("proof", { Guards.unproven($0) }),
    ("Markdown", { Guards.markdownInSources($0) }), ("paths", { Guards.machinePaths($0) }),
    ("waiting", { Guards.sleeps($0) }), ("scripts", { Guards.script($0) }),
  ]

  @Test(arguments: guards)
  func `every file passes`(name: String, check: @escaping Guard) throws {
    let files = try Repository.files()
    #expect(files.contains { $0.path == "Sources/DeviceIdentity/IMEI.swift" })
    let findings = files.flatMap(check)
    #expect(findings.isEmpty, "\(name):\n\(findings.map(\.description).joined(separator: "\n"))")
  }

  @Test func `every target has its tests and its line in the table of imports`() throws {
    let tests = Set(try Repository.folders(in: "Tests"))
    let targets = try Repository.folders(in: "Sources")
    for target in targets {
      #expect(Layout.mayImport[target] != nil, "\(target) is not in the table of imports")
      let isExcused = Layout.withoutTests[target].map { !$0.isEmpty } ?? false
      #expect(
        tests.contains(Layout.testFolder(of: target)) || isExcused,
        "Sources/\(target) has no folder under Tests")
    }
  }

  @Test func `allowances are for files that need them`() throws {
    let files = try Repository.files()
    for path in Layout.longFiles.keys {
      let file = try #require(files.first { $0.path == path }, "\(path) does not exist")
      #expect(!Guards.length(file, allowances: [:]).isEmpty, "\(path) is short enough now")
    }
  }

  @Test func `the table of imports points down`() {
    var rest = Layout.mayImport
    while let lowest = rest.first(where: { $0.value.allSatisfy { rest[$0] == nil } }) {
      rest[lowest.key] = nil
    }
    #expect(rest.isEmpty, "\(rest.keys.sorted()) import one another")
    let database: Set = ["PostgreSQL", "CLibPQ", "LocalPostgreSQL", "RegistryStore", "CEIRService"]
    #expect(Layout.mayImport["EIRNode"]?.isDisjoint(with: database) == true)
    #expect(Layout.mayImport["CEIRService"]?.contains("NightlyJobs") == false)
    for pure in ["DeviceIdentity", "DeviceLists", "ListIndex", "RegistryFiles", "Diameter"] {
      #expect(Layout.mayImport[pure]?.contains("Foundation") == false)
    }
  }
}

import Testing

/// Each guard catches what it is for. Bad words are written in two halves, so that these lines
/// pass the guards themselves.
struct GuardTests {
  private static func source(
    _ text: String, _ path: String = "Sources/ListIndex/A.swift", isExecutable: Bool = false
  ) -> SourceFile {
    SourceFile(path: path, text: text, isExecutable: isExecutable)
  }

  @Test(arguments: [
    ("Sources/DeviceIdentity/A.swift", "import Foundation", false),
    ("Sources/DeviceIdentity/A.swift", "import Glibc", false),
    ("Sources/DeviceIdentity/A.swift", "import DeviceIdentity", false),
    ("Sources/DeviceIdentity/A.swift", "import DeviceLists", false),
    ("Sources/DeviceLists/A.swift", "package import DeviceIdentity", true),
    ("Sources/DeviceLists/A.swift", "public import struct Foundation.Date", false),
    ("Sources/ListIndex/A.swift", "internal import HashTreeCollections", true),
    ("Sources/ListIndex/A.swift", "@preconcurrency import Foundation", false),
    ("Sources/ListIndex/A.swift", "// import Foundation", true),
    ("Sources/ListIndex/A.swift", "let import = 1", true),
    ("Sources/EIRNode/A.swift", "import PostgreSQL", false),
    ("Sources/EIRNode/A.swift", "@testable import RegistryStore", false),
    ("Sources/CEIRService/A.swift", "import NightlyJobs", false),
    ("Sources/CheckServer/A.swift", "import Hummingbird", false),
    ("Sources/CheckServer/A.swift", "import NIOHTTP2", true),
    ("Sources/Unheard/A.swift", "", false),
    ("Tests/ListIndexTests/A.swift", "import Foundation", true),
  ])
  func `an import that is not in the table is caught`(path: String, line: String, isFine: Bool) {
    #expect(Guards.imports(Self.source("\n" + line + "\n", path)).isEmpty == isFine)
  }

  @Test(arguments: [
    (399, 100, true), (400, 100, false), (1_000, 1, false), (1, 101, false), (2, 100, true),
  ])
  func `long files and lines are caught`(lines: Int, columns: Int, isFine: Bool) {
    let line = String(repeating: "é", count: columns) + "\n"
    let file = Self.source(String(repeating: line, count: lines))
    #expect(Guards.length(file, allowances: [:]).isEmpty == isFine)
    if columns <= Guards.longestLine {
      #expect(Guards.length(file, allowances: [file.path: "a table"]).isEmpty)
      #expect(Guards.length(file, allowances: [file.path: ""]).isEmpty == isFine)
    }
  }

  @Test(arguments: [
    ("Sources/ListIndex/A.swift", "// FIX" + "ME: later"), ("Schema/a.md", "TO" + "DO"),
    ("Scripts/a", "# XX" + "X"), ("Sources/eir/A.swift", "let a = try" + "! b()"),
    ("Tests/AT/A.swift", "a as" + "! B"), ("Tests/AT/A.swift", "fatal" + "Error(\"\")"),
    ("Tests/AT/A.swift", "do { try a() } catch" + " {}"),
    ("Sources/ListIndex/A.swift", "  print" + "(a)"),
    ("Sources/ListIndex/A.swift", "Swift.print" + "(a)"),
    ("Sources/ListIndex/A.swift", "blueprint(a); print" + "(a)"),
    ("Sources/ListIndex/A.swift", "debug" + "Print(a)"),
    ("Sources/ListIndex/A.swift", "du" + "mp(a)"),
  ])
  func `leftovers are caught`(path: String, line: String) {
    #expect(Guards.leftovers(Self.source("a\n" + line + "\n", path)).map(\.line) == [2])
  }

  @Test(arguments: [
    ("Sources/eir/A.swift", "print" + "(a)"), ("Tests/AT/A.swift", "print" + "(a)"),
    ("Sources/ListIndex/A.swift", "blueprint(a)"),
    ("Sources/ListIndex/A.swift", "try a() ; a as? B"),
  ])
  func `what only looks like a leftover is not`(path: String, line: String) {
    #expect(Guards.leftovers(Self.source(line, path)).isEmpty)
  }

  @Test(arguments: [
    ("final class A: @unchecked " + "Sendable {}", false),
    ("// Locked by its owner.\nfinal class A: @unchecked " + "Sendable {}", true),
    ("// Locked.\n\nfinal class A: @unchecked " + "Sendable {}", false),
    ("  /// Written once.\n  nonisolated" + "(unsafe) var a = 1", true),
    ("let b = 1\nnonisolated" + "(unsafe) var a = 1", false),
    ("// says @unchecked " + "Sendable", true),
  ])
  func `what is unchecked needs its proof on the line above`(text: String, isFine: Bool) {
    #expect(Guards.unproven(Self.source(text)).isEmpty == isFine)
  }

  @Test(arguments: [
    ("Sources/ListIndex/Notes.md", false), ("Sources/ListIndex/A.docc/A.md", true),
    ("Schema/a.md", true), ("Tests/AT/a.md", true),
  ])
  func `Markdown inside a target is caught`(path: String, isFine: Bool) {
    #expect(Guards.markdownInSources(Self.source("# A", path)).isEmpty == isFine)
  }

  @Test(arguments: [
    ("cd /tmp/" + "oc/lists", false), ("see /wo" + "rk/main", false),
    ("/ho" + "me/somebody", false),
    ("/ro" + "ot/a", false), ("/Us" + "ers/a", false), ("/var/lib/openceir and /tmp/a", true),
    ("https://example.org/network/a", true),
  ])
  func `folders of a developer's machine are caught`(text: String, isFine: Bool) {
    #expect(Guards.machinePaths(Self.source(text, "Scripts/a")).isEmpty == isFine)
  }

  @Test(arguments: [
    ("Tests/AT/A.swift", "try await Task.sl" + "eep(for: .seconds(1))", false),
    ("Tests/AT/A.swift", "usl" + "eep(1)", false), ("Tests/AT/A.swift", "  sl" + "eep(1)", false),
    ("Tests/AT/A.swift", "Glibc.sl" + "eep(1)", false),
    ("Tests/AT/A.swift", "nanosl" + "eep(a, b)", false),
    ("Tests/AT/A.swift", "try await Task<Never, Never>.sl" + "eep(nanoseconds: 1)", false),
    (Guards.pollingFile, "try await Task.sl" + "eep(for: .milliseconds(1))", true),
    ("Sources/EIRNode/A.swift", "try await Task.sl" + "eep(for: delay)", true),
    ("Tests/AT/A.swift", "let asleep = nosl" + "eep(1)", true),
  ])
  func `tests that wait for time are caught`(path: String, line: String, isFine: Bool) {
    #expect(Guards.sleeps(Self.source(line, path)).isEmpty == isFine)
  }

  @Test(arguments: [
    ("Scripts/a", "#!/usr/bin/env bash\nset -euo pipefail\n", true, true),
    ("Scripts/a", "#!/usr/bin/env bash\nset -euo pipefail\n", false, false),
    ("Scripts/a", "#!/bin/bash\nset -e\n", true, false),
    ("Scripts/a", "#!/bin/sh\n# set -euo pipefail\n", true, false),
    ("Scripts/a", "set -euo pipefail\n", true, false),
    ("Scripts/a.py", "#!/usr/bin/env python3\n", true, true),
    ("Scripts/bench.lua", "request = 1\n", false, true),
    ("Schema/a", "", false, true),
  ])
  func `scripts are executable and strict`(
    path: String, text: String, isExecutable: Bool, isFine: Bool
  ) {
    let file = Self.source(text, path, isExecutable: isExecutable)
    #expect(Guards.script(file).isEmpty == isFine)
  }
}

import DeviceIdentity
import DeviceLists
import Foundation
import NightlyJobs
import PostgreSQL
import RegistryFiles
import RegistryStore
import Simulation
import Testing

/// Lists whose lines are reference data, in a real registry: history, changes and checks.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct ListImportTests {
  @Test func `a whole list ends what it does not name and keeps its history`() async throws {
    try await withLists { lists in
      let first = try await lists.take(
        .registration, "imei,make\n\(imei(1)),Acme\n\(imei(2)),\n\(imei(3)),Acme\n\(imei(4)),x\n")
      #expect(first == "imported +4 ~0 -0 =0")
      // A value where none was, none where one was, another value, one gone, one new: the peer sees
      // the first two not at all.
      let second = try await lists.take(
        .registration, "imei,make\n\(imei(1)),\n\(imei(2)),Acme\n\(imei(3)),Acme\n\(imei(5)),x\n",
        accepted: [.shrink])
      #expect(second == "imported +1 ~2 -1 =1")
      #expect(
        try await lists.rows() == [
          #"registration test 1  {"make":"Acme"} 1 ended"#, "registration test 1  {} 2",
          "registration test 2  {} 1 ended", #"registration test 2  {"make":"Acme"} 2"#,
          #"registration test 3  {"make":"Acme"} 1"#, #"registration test 4  {"make":"x"} 1 ended"#,
          #"registration test 5  {"make":"x"} 2"#,
        ])
      #expect(try await lists.pending() == [1, 2, 3, 4, 5])
    }
  }

  @Test func `two lists and two sources leave each other alone`() async throws {
    try await withLists { lists in
      for source in ["a", "b"] {
        _ = try await lists.take(.monitoring, "imei\n\(imei(1))\n", source: source)
      }
      _ = try await lists.take(.associations, "uid,imei\nA,\(imei(1))\n", source: "a")
      let empty = try await lists.take(
        .monitoring, "imei\n", source: "a", accepted: [.empty])
      #expect(empty == "imported +0 ~0 -1 =0")
      #expect(
        try await lists.rows() == [
          "associations a 1 A {} 3", "monitoring a 1  {} 1 ended", "monitoring b 1  {} 2",
        ])
    }
  }

  @Test func `every kind of list arrives with its keys`() async throws {
    try await withLists { (lists: Lists) async throws in
      let files: [(ListKind, String)] = [
        (.goldenHashed, "golden_imei\n0123456789ABCDEF0123456789ABCDEF\n"),
        (.subscribers, "uid,imsi\nA,001010000000001\n"),
        (.associations, "uid,imei\nA,\(imei(1))\nB,\(imei(1))\n"),
        (.typeApproval, "tac,number\n35209900,7\n"),
      ]
      for (kind, text) in files { #expect(try await lists.take(kind, text).hasPrefix("imported")) }
      #expect(
        try await lists.rows(first: 0) == [
          "associations test 35209900000001 A {} 3", "associations test 35209900000001 B {} 3",
          "golden test 0 0123456789abcdef0123456789abcdef {} 1",
          "subscribers test 15001010000000001 A {} 2",
          #"type-approval test 35209900  {"number":"7"} 4"#,
        ])
      #expect(try await lists.pending().contains(-1), "Who is meant cannot be told: all.")
    }
  }

  @Test func `a file of changes adds, removes and updates`() async throws {
    try await withLists { lists in
      _ = try await lists.take(
        .registration, "imei,make\n\(imei(1)),a\n\(imei(2)),a\n\(imei(3)),a\n\(imei(4)),a\n")
      let delta = """
        change_type,imei,make
        remove,\(imei(1)),
        update,\(imei(2)),b
        add,\(imei(5)),c

        """
      #expect(try await lists.take(.registration, delta, isDelta: true) == "imported +1 ~1 -1 =0")
      #expect(
        try await lists.rows() == [
          #"registration test 1  {"make":"a"} 1 ended"#,
          #"registration test 2  {"make":"a"} 1 ended"#, #"registration test 2  {"make":"b"} 2"#,
          #"registration test 3  {"make":"a"} 1"#, #"registration test 4  {"make":"a"} 1"#,
          #"registration test 5  {"make":"c"} 2"#,
        ])
      #expect(try await lists.take(.registration, delta, isDelta: true) == "repeated 2")
    }
  }

  /// Each check alone stops the file, changes nothing, and lets it pass once it is set aside.
  @Test(arguments: [
    (ListCheck.shrink, "imei\n\(imei(1))\n\(imei(2))\n", false, 2),
    (.empty, "imei\n", false, 0),
    (.conflicts, "imei,make\n\(imei(1)),a\n\(imei(1)),b\n\(imei(2)),\n\(imei(3)),\n", false, 3),
    (.unclean, "imei\n\(imei(1))\n\(imei(2))\n\(imei(3))\n3.5E+13\n", false, 3),
    (.refused, "imei,make\n\(imei(1)),\n\(imei(2)),\n\(imei(3)),\nx,y,z\n", false, 3),
    (.adds, "imei,change_type\n\(imei(1)),add\n\(imei(9)),add\n", true, 5),
    (.removes, "imei,change_type\n\(imei(9)),remove\n", true, 4),
    (.updates, "imei,change_type\n\(imei(9)),update\n", true, 5),
  ])
  func `a check stops a file until a person sets it aside`(
    check: ListCheck, text: String, isDelta: Bool, after: Int
  ) async throws {
    try await withLists { lists in
      _ = try await lists.take(
        .registration, "imei\n" + (1...4).map { "\(imei($0))\n" }.joined())
      let before = try await lists.rows()
      #expect(
        try await lists.take(.registration, text, isDelta: isDelta) == "stopped \(check.rawValue)")
      #expect(try await lists.rows() == before)
      #expect(try await lists.imports().count == 1)
      // Another check is no help.
      let other = check == .shrink ? ListCheck.adds : .shrink
      #expect(
        try await lists.take(.registration, text, isDelta: isDelta, accepted: [other])
          == "stopped \(check.rawValue)")
      let passed = try await lists.take(
        .registration, text, isDelta: isDelta, accepted: [check], because: "agreed with customs")
      #expect(passed.hasPrefix("imported"))
      #expect(try await lists.rows().count { !$0.hasSuffix("ended") } == after)
      #expect(
        try await lists.imports().last
          == "registration \(isDelta) \(check.rawValue) agreed with customs \(check.rawValue)")
    }
  }

  @Test func `a try reports what would be, and changes nothing`() async throws {
    try await withLists { lists in
      _ = try await lists.take(.monitoring, "imei\n\(imei(1))\n\(imei(2))\n\(imei(3))\n")
      let before = try await lists.rows()
      let file = "imei\n\(imei(1))\n\(imei(2))\n\(imei(4))\n\(imei(5))\n"
      #expect(try await lists.take(.monitoring, file, isDryRun: true) == "tried +2 ~0 -1 =2")
      #expect(
        try await lists.take(.monitoring, "imei\n", isDryRun: true) == "stopped empty")
      #expect(try await lists.rows() == before)
      #expect(try await lists.imports().count == 1)
      #expect(try await lists.pending() == [1, 2, 3])
      #expect(try await lists.take(.monitoring, file) == "imported +2 ~0 -1 =2")
    }
  }

  @Test func `the same list is recognised until another has come between`() async throws {
    try await withLists { (lists: Lists) async throws in
      let (a, b) = ("imei\n\(imei(1))\n", "imei\n\(imei(2))\n")
      #expect(try await lists.take(.monitoring, a) == "imported +1 ~0 -0 =0")
      #expect(try await lists.take(.monitoring, a) == "repeated 1")
      #expect(try await lists.take(.monitoring, a, source: "other") == "imported +1 ~0 -0 =0")
      #expect(try await lists.take(.monitoring, b) == "imported +1 ~0 -1 =0")
      #expect(try await lists.take(.monitoring, a) == "imported +1 ~0 -1 =0")
      #expect(
        try await lists.take(.monitoring, a, accepted: [.repeated]) == "imported +0 ~0 -0 =1")
    }
  }

  @Test func `a strict list is spotless or nothing`() async throws {
    try await withLists { (lists: Lists) async throws in
      let file = "imei\n\(imei(1))\n\(imei(1))\n"
      #expect(try await lists.take(.monitoring, file, isStrict: true) == "refused")
      #expect(try await lists.rows().isEmpty)
      #expect(try await lists.take(.monitoring, file) == "imported +1 ~0 -0 =0")
    }
  }

  @Test func `lists of one kind wait for each other, and the same one is taken once`()
    async throws
  {
    try await withLists { lists in
      let texts = (0..<6).map { index in
        "imei\n" + (1...200).map { "\(imei($0 + index % 3 * 100))\n" }.joined()
      }
      let outcomes = try await withThrowingTaskGroup(of: String.self) { group in
        for (index, text) in texts.enumerated() {
          let kind = index % 2 == 0 ? ListKind.monitoring : .barred
          group.addTask {
            try await lists.take(kind, text, name: "\(index)", accepted: [.shrink])
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(outcomes.allSatisfy { $0.hasPrefix("imported") || $0.hasPrefix("repeated") })
      #expect(try await lists.rows().count { !$0.hasSuffix("ended") } == 200)
      let same = try await withThrowingTaskGroup(of: String.self) { group in
        for index in 0..<4 {
          group.addTask {
            try await lists.take(.associations, "uid,imei\nA,\(imei(1))\n", name: "same\(index)")
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(same.count { $0.hasPrefix("imported") } == 1)
      #expect(same.count { $0.hasPrefix("repeated") } == 3)
    }
  }
}

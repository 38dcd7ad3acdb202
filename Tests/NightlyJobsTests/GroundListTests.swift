import DeviceIdentity
import DeviceLists
import NightlyJobs
import RegistryFiles
import RegistryStore
import Simulation
import Testing

/// Lists whose lines are grounds, in a real registry.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct GroundListTests {
  @Test func `each kind of list makes its kind of ground`() async throws {
    try await withLists { lists in
      try await lists.addOperator("blue", network: "00101")
      _ = try await lists.take(.barred, "imei\n\(imei(1))\n")
      _ = try await lists.take(.barred, "imei\n\(imei(2))\n", source: "court", code: .courtOrder)
      _ = try await lists.take(.barredTAC, "tac\n35209911\n")
      _ = try await lists.take(.golden, "golden_imei\n\(imei(3))\n")
      _ = try await lists.take(
        .pairing, "imei,imsi\n\(imei(4)),001010000000001\n\(imei(4)),002010000000001\n")
      _ = try await lists.take(.stolen, "imei,case\n\(imei(5)),C7\n")
      #expect(
        try await lists.grounds() == [
          "1 1 0 0 notApproved black ", "1 2 0 0 courtOrder black ", "1 3 0 0 protected white ",
          "1 5 0 0 stolen black C7", "3 35209911 0 0 barredTac black ",
          "4 4 15001010000000001 1 genuineOwner white ",
          "4 4 15002010000000001 0 genuineOwner white ",
        ])
      #expect(try await lists.marks() == 7)
      #expect(try await lists.pending() == [-1, 1, 2, 3, 4, 5], "A type is of many devices.")
      #expect(try await lists.overridable() == ["genuineOwner", "notApproved", "protected"])
    }
  }

  @Test func `a whole list ends its own grounds, never those of a person or another source`()
    async throws
  {
    try await withLists { lists in
      for (source, number) in [("police", 1), ("court", 2)] {
        try await lists.block(number, source: source)
      }
      _ = try await lists.take(
        .stolen, "imei\n\(imei(3))\n\(imei(4))\n\(imei(5))\n", source: "police")
      let second = try await lists.take(
        .stolen, "imei\n\(imei(1))\n\(imei(4))\n\(imei(5))\n", source: "police")
      #expect(second == "imported +1 ~0 -1 =2")
      #expect(
        try await lists.grounds(withEnded: true) == [
          "1 1 0 0 stolen black ", "1 1 0 0 stolen black person", "1 2 0 0 stolen black person",
          "1 3 0 0 stolen black  ended: the list of police says so no more (import 2)",
          "1 4 0 0 stolen black ", "1 5 0 0 stolen black ",
        ])
    }
  }

  /// What the peer does not see: a value that comes or goes, and two changes of one line.
  @Test(arguments: [
    ("\(imei(1)),,,", "\(imei(1)),20260301,,"), ("\(imei(1)),20260301,,", "\(imei(1)),,,"),
    ("\(imei(1)),,,", "\(imei(1)),,,C1"), ("\(imei(1)),,,C1", "\(imei(1)),,,"),
    ("\(imei(1)),,,", "\(imei(1)),,lost,"), ("\(imei(1)),,,", "\(imei(1)),20260301,lost,C9"),
    ("\(imei(1)),20260301,,", "\(imei(1)),20260302,,"),
  ])
  func `any change of a line ends a ground and begins another`(
    before: String, after: String
  ) async throws {
    try await withLists { (lists: Lists) async throws in
      let header = "imei,reporting_date,status,case\n"
      let other = "\(imei(2)),20260301,,\n\(imei(3)),,lost,\n"
      #expect(
        try await lists.take(.stolen, header + before + "\n" + other).hasPrefix("imported +3"))
      #expect(
        try await lists.take(.stolen, header + after + "\n" + other) == "imported +0 ~1 -0 =2")
      #expect(try await lists.grounds().count == 3)
      #expect(try await lists.grounds(withEnded: true).count == 4)
      #expect(
        try await lists.take(.stolen, header + other + after + "\n") == "imported +0 ~0 -0 =3",
        "The order of the lines says nothing.")
    }
  }

  @Test func `what was added without a list belongs to it`() async throws {
    try await withLists { lists in
      _ = try await lists.add("imei\n\(imei(1))\n\(imei(2))\n")
      #expect(
        try await lists.take(.stolen, "imei\n\(imei(2))\n", accepted: [.shrink])
          == "imported +0 ~0 -1 =1")
      // Without --full, a second file only adds.
      #expect(try await lists.add("imei\n\(imei(3))\n") == "imported +1")
      #expect(try await lists.grounds().count == 2)
    }
  }

  @Test func `a file of changes adds, removes and updates grounds`() async throws {
    try await withLists { lists in
      _ = try await lists.take(
        .stolen, "imei,status\n\(imei(1)),\n\(imei(2)),lost\n\(imei(3)),\n\(imei(4)),\n")
      let delta = """
        imei,status,change_type
        \(imei(1)),,remove
        \(imei(2)),stolen,update
        \(imei(5)),lost,add

        """
      #expect(try await lists.take(.stolen, delta, isDelta: true) == "imported +1 ~1 -1 =0")
      #expect(
        try await lists.grounds() == [
          "1 2 0 0 stolen black ", "1 3 0 0 stolen black ", "1 4 0 0 stolen black ",
          "1 5 0 0 lost black ",
        ])
      #expect(
        try await lists.take(.stolen, delta + "\n", isDelta: true)
          == "stopped adds removes")
    }
  }

  @Test func `a line counts for every IMEI of its device`() async throws {
    try await withLists { lists in
      try await lists.link([1, 2])
      _ = try await lists.take(.barred, "imei\n\(imei(1))\n\(imei(3))\n")
      #expect(try await lists.grounds().count == 3)
      #expect(
        try await lists.take(
          .barred, "imei,change_type\n\(imei(2)),remove\n", isDelta: true, accepted: [.shrink])
          == "imported +0 ~0 -2 =0")
      #expect(try await lists.grounds() == ["1 3 0 0 notApproved black "])
    }
  }

  @Test func `an empty or much shorter list of stolen devices releases nobody`() async throws {
    try await withLists { lists in
      _ = try await lists.take(.stolen, "imei\n" + (1...8).map { "\(imei($0))\n" }.joined())
      #expect(try await lists.take(.stolen, "imei\n") == "stopped empty")
      #expect(
        try await lists.take(.stolen, "imei\n\(imei(1))\n\(imei(2))\n") == "stopped shrink")
      #expect(try await lists.grounds().count == 8)
      #expect(
        try await lists.take(.stolen, "imei\n", accepted: [.empty]) == "imported +0 ~0 -8 =0")
      #expect(try await lists.grounds().isEmpty)
    }
  }

  /// Both files pass on their own; the later one counts, and nothing of the earlier is left.
  @Test func `of two lists that contradict each other the later counts`() async throws {
    try await withLists { lists in
      _ = try await lists.take(
        .pairing, "imei,imsi\n\(imei(1)),001010000000001\n")
      #expect(
        try await lists.take(
          .pairing, "imei,imsi\n\(imei(1)),001010000000002\n") == "imported +1 ~0 -1 =0")
      #expect(
        try await lists.grounds() == ["4 1 15001010000000002 0 genuineOwner white "])
    }
  }
}

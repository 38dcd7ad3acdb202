import DeviceLists
import Simulation
import Testing

@testable import ListExchange

struct InstanceWatchTests {
  /// Requests as machine, certificate and hour; the findings among them by number.
  @Test(
    arguments: [
      ([("a", "1", 0), ("a", "1", 1), ("a", "2", 2), ("a", "1", 3)], []),
      ([("a", "1", 0), ("b", "2", 1), ("b", "2", 2)], []),
      ([("a", "1", 0), ("b", "1", 1)], []),
      ([("a", "1", 0), ("b", "2", 1), ("a", "1", 2), ("b", "2", 3)], [2, 3]),
      ([("a", "1", 0), ("b", "2", 1), ("a", "1", 24)], []),
      ([("a", "1", 0), ("b", "2", 1), ("b", "2", 23), ("a", "1", 23)], [3]),
      ([("a", "1", 0), ("b", "2", 1), ("c", "3", 2), ("a", "1", 3)], [3]),
    ] as [([(String, String, Int64)], [Int])])
  func `one name on two machines is seen when the first comes again`(
    requests: [(machine: String, serial: String, hour: Int64)], findings: [Int]
  ) {
    var watch = InstanceWatch()
    var found: [Int] = []
    for (index, request) in requests.enumerated() {
      let now = Samples.issuedAt.adding(seconds: request.hour * 3_600)
      let instance = Self.instance(request.machine)
      if watch.finding(instance, serial: request.serial, asOf: now) != nil { found.append(index) }
      watch.seen(instance, serial: request.serial, asOf: now)
    }
    #expect(found == findings)
  }

  @Test(arguments: [("1", "1", true), ("1", "2", false)])
  func `one certificate on two machines is called that`(
    first: String, second: String, isOneCertificate: Bool
  ) {
    var watch = InstanceWatch()
    let (one, other) = (Self.instance("a"), Self.instance("b"))
    watch.seen(one, serial: first, asOf: Samples.issuedAt)
    watch.seen(other, serial: second, asOf: Samples.issuedAt)
    let finding = watch.finding(one, serial: first, asOf: Samples.issuedAt)
    #expect(
      finding
        == (isOneCertificate
          ? .certificateOnTwoMachines(serial: first, one, other)
          : .nameOnTwoMachines(one, other)))
  }

  @Test func `it remembers no more than it must`() {
    var watch = InstanceWatch()
    var chance = SeededGenerator(seed: 3)
    for _ in 0..<100 {
      watch.seen(InstanceID(using: &chance), serial: "1", asOf: Samples.issuedAt)
    }
    #expect(watch.stays.count == InstanceWatch.mostStays)
  }

  /// Numbers are those of the files of one node: 5 is the newest.
  @Test(
    arguments: [
      (6, 1, nil, 0, .process), (5, 1, 1, 0, .repeated), (5, 2, 1, 0, .otherContent),
      (1, 2, nil, 0, .repeated), (8, 1, nil, 0, .wait(missing: 6)),
      (8, 1, nil, 3_599, .wait(missing: 6)), (8, 1, nil, 3_600, .report(missing: 6)),
      (6, 1, nil, 3_600, .process),
    ] as [(Int, UInt8, UInt8?, Int64, ReplicationNumbers.Decision)])
  func `a number is the next, a repeated one, another content or beyond a gap`(
    number: Int, hash: UInt8, known: UInt8?, waited: Int64, decision: ReplicationNumbers.Decision
  ) {
    var numbers = ReplicationNumbers(newest: 5)
    numbers.waits(asOf: Samples.issuedAt)
    let decided = numbers.decide(
      number, hash: Self.hash(hash), known: known.map { Self.hash($0) },
      asOf: Samples.issuedAt.adding(seconds: waited))
    #expect(decided == decision)
    numbers.processed(6)
    #expect(numbers == ReplicationNumbers(newest: 6))
  }

  private static func hash(_ byte: UInt8) -> ContentHash {
    ContentHash(bytes: [UInt8](repeating: byte, count: 32))
  }

  private static func instance(_ machine: String) -> InstanceID {
    InstanceID(String(repeating: machine, count: 32))!
  }
}

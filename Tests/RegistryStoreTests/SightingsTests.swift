import DeviceIdentity
import DeviceLists
import RegistryStore
import Simulation
import Testing

/// What networks have seen.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct SightingsTests {
  @Test func `a subscriber with a device and an answer counts once a day`() async throws {
    try await withNodes { registry, alfa, beta in
      let now = try #require(Instant("2026-11-23T22:30:00Z"))
      let black = try sighting(imei(1), at: now)
      // Tunis is an hour ahead of UTC: this lies on the next day there.
      let tomorrow = try sighting(imei(1), at: now.adding(seconds: 1_800))
      let grey = try sighting(imei(1), answer: .grey, at: now)
      let unheard = try sighting(imei(2), answer: .unknown, at: now)
      let other = try sighting(imei(1), imsi: "001010000000002", at: now)
      #expect(try await take([black, black], of: alfa, asOf: now, registry) == [1, 1])
      #expect(
        try await take(
          [black, grey, tomorrow], of: alfa, asOf: now.adding(seconds: 1_800), registry) == [2, 1])
      #expect(try await take([black, unheard, other], of: beta, asOf: now, registry) == [3, 0])
      #expect(try await take([], of: beta, asOf: now, registry) == [0, 0])
      #expect(try await registry.number("SELECT count(*) FROM sighting_live") == 6)
      #expect(
        try await registry.number("SELECT count(*) FROM sighting_live WHERE day = '2026-11-24'")
          == 1)
      #expect(
        try await registry.number("SELECT count(*) FROM sighting_live WHERE status = 3") == 1)
    }
  }

  @Test func `what is no IMEI is kept as it came`() async throws {
    try await withNodes { registry, alfa, _ in
      let now = try await registry.now()
      let imsi = try IMSI("001010000000001")
      let sightings = ["", "-", "*#06#", "ABC", "ABC"].map { text in
        NewSighting(
          identity: .unusable(UnusableIdentity(text)), imsi: imsi, answer: .unknown, seenAt: now)
      }
      #expect(try await take(sightings, of: alfa, asOf: now, registry) == [3, 2])
      #expect(try await registry.number("SELECT count(*) FROM sighting_live WHERE imei = -1") == 3)
    }
  }

  @Test(
    arguments: [
      (-301, false), (-300, true), (0, true), (31 * 86_400, true), (31 * 86_400 + 1, false),
    ] as [(Int64, Bool)])
  func `a time too far from the registry's refuses all`(age: Int64, isTaken: Bool) async throws {
    try await withNodes { registry, alfa, _ in
      let now = try await registry.now()
      let sightings = [
        try sighting(imei(1), at: now), try sighting(imei(2), at: now.adding(seconds: -age)),
      ]
      if isTaken {
        #expect(try await take(sightings, of: alfa, asOf: now, registry) == [2, 0])
      } else {
        await registry.expectError(.timeTooFar) {
          _ = try await $0.takeSightings(sightings, of: alfa, asOf: now)
        }
        #expect(try await registry.number("SELECT count(*) FROM sighting_live") == 0)
      }
    }
  }

  @Test func `a message has so many and no more, and what comes at once counts once`()
    async throws
  {
    try await withNodes { registry, alfa, _ in
      let now = try await registry.now()
      let most = RegistryTransaction.mostSightings
      let sightings = try (0...UInt64(most)).map { try sighting(imei($0), at: now) }
      await registry.expectError(.unfit) {
        _ = try await $0.takeSightings(sightings, of: alfa, asOf: now)
      }
      let full = Array(sightings.dropLast())
      let taken = try await withThrowingTaskGroup(of: [Int].self) { group in
        for _ in 0..<3 {
          group.addTask { try await take(full, of: alfa, asOf: now, registry) }
        }
        return try await group.reduce(0) { $0 + $1[0] }
      }
      #expect(taken == most)
      #expect(try await registry.number("SELECT count(*) FROM sighting_live") == Int64(most))
    }
  }

  private func sighting(
    _ imei: IMEI, imsi: String = "001010000000001", answer: CheckAnswer = .black, at time: Instant
  ) throws -> NewSighting {
    NewSighting(
      identity: .imei(imei), imsi: try IMSI(imsi), msisdn: try MSISDN("21620000001"),
      technology: "lte", answer: answer, seenAt: time)
  }

  private func take(
    _ sightings: [NewSighting], of node: NodeIdentity, asOf now: Instant, _ registry: TestRegistry
  ) async throws -> [Int] {
    try await registry.store.write {
      let (taken, repeated) = try await $0.takeSightings(sightings, of: node, asOf: now)
      return [taken, repeated]
    }
  }
}

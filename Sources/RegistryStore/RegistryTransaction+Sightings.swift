package import DeviceIdentity
package import DeviceLists
import PostgreSQL

/// What a node has seen and answered.
package struct NewSighting: Sendable {
  package enum Identity: Sendable {
    case imei(IMEI)
    /// What came in the place of an IMEI.
    case unusable(UnusableIdentity)
  }

  package let identity: Identity
  package let imsi: IMSI
  package let msisdn: MSISDN?
  /// At most 16 letters, digits and hyphens; empty where it is not known.
  package let technology: String
  package let answer: CheckAnswer
  package let seenAt: Instant

  package init(
    identity: Identity, imsi: IMSI, msisdn: MSISDN? = nil, technology: String = "",
    answer: CheckAnswer, seenAt: Instant
  ) {
    self.identity = identity
    self.imsi = imsi
    self.msisdn = msisdn
    self.technology = technology
    self.answer = answer
    self.seenAt = seenAt
  }
}

extension RegistryTransaction {
  /// Sightings that are taken in one message.
  package static let mostSightings = 10_000
  /// How far a sighting may lie ahead of the registry's clock.
  package static let clockSkewSeconds: Int64 = 300
  /// How old a sighting may be: a file that was late by a month still counts.
  package static let oldestSightingSeconds: Int64 = 31 * 86_400

  /// Keeps what the operator's networks have seen; the same subscriber with the same device and
  /// answer counts once a day, by the registry's calendar. All of them, or none.
  package func takeSightings(
    _ sightings: [NewSighting], of node: NodeIdentity, asOf now: Instant
  ) async throws -> (taken: Int, repeated: Int) {
    guard sightings.count <= Self.mostSightings else {
      throw StoreError(.unfit, "A message has at most \(Self.mostSightings) sightings.")
    }
    for (place, sighting) in sightings.enumerated() {
      let age = now.seconds(since: sighting.seenAt)
      guard (-Self.clockSkewSeconds...Self.oldestSightingSeconds).contains(age) else {
        throw StoreError(
          .timeTooFar,
          "line \(place + 1): seenAt lies more than \(Self.clockSkewSeconds) seconds ahead or more "
            + "than \(Self.oldestSightingSeconds / 86_400) days back.")
      }
    }
    guard !sightings.isEmpty else { return (0, 0) }
    let taken = try await connection.execute(
      Self.insertSightings, node.operatorNumber.number, sightings.map(\.imei),
      sightings.map(\.text), sightings.map { Int64($0.imsi.packed) }, sightings.map(\.status),
      sightings.map { Int64($0.msisdn?.packed ?? 0) }, sightings.map(\.technology),
      sightings.map { PostgreSQLTimestamp($0.seenAt) })
    return (taken, sightings.count - taken)
  }

  /// Served by the primary key of sighting_live.
  private static let insertSightings = """
    INSERT INTO sighting_live (operator_id, day, imei, identity, imsi, status, msisdn, technology,
                               seen_at)
    SELECT $1, (s.seen_at AT TIME ZONE r.time_zone)::date, s.imei, s.identity, s.imsi, s.status,
           s.msisdn, s.technology, s.seen_at
      FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::smallint[], $6::bigint[],
                  $7::text[], $8::timestamptz[])
             AS s (imei, identity, imsi, status, msisdn, technology, seen_at)
     CROSS JOIN registry r
        ON CONFLICT (operator_id, day, imei, identity, imsi, status) DO NOTHING
    """
}

extension NewSighting {
  fileprivate var imei: Int64 {
    if case .imei(let imei) = identity { Int64(imei.number) } else { -1 }
  }

  /// An empty identity cannot be told from none: it becomes a hyphen.
  fileprivate var text: String {
    guard case .unusable(let identity) = identity else { return "" }
    return identity.text.isEmpty ? "-" : identity.text
  }

  /// That of Equipment-Status, TS 29.272, 7.3.51; 3 for what is on no list.
  fileprivate var status: Int16 {
    switch answer {
    case .white: Int16(ListStatus.white.rawValue)
    case .grey: Int16(ListStatus.grey.rawValue)
    case .black: Int16(ListStatus.black.rawValue)
    case .unknown: 3
    }
  }
}

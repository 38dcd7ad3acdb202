package import DeviceLists

extension DeviceRecord {
  /// The grounds that make the device black at `now`, on it, its type or a range: those that are
  /// neither ended nor released. Empty for a protected one.
  package func standingBlacks(asOf now: Instant) -> [RecordedGround] {
    let inForce = grounds.filter { $0.start <= now && ($0.end.map { $0 > now } ?? true) }
    return inForce.filter { ground in
      let isProtected = inForce.contains { other in
        other.code == .protected && other.subject == .imei(imei)
          && (other.scope == .all || other.scope == ground.scope)
      }
      return ground.status == .black && !isProtected && !isReleased(ground, asOf: now)
    }
  }

  private func isReleased(_ ground: RecordedGround, asOf now: Instant) -> Bool {
    releases.contains { release in
      release.start <= now && (release.end.map { $0 > now } ?? true)
        && release.scope == ground.scope && release.codes.contains(ground.code)
        && (release.liftsWider || ground.subject == .imei(imei))
    }
  }
}

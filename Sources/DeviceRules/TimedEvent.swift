/// That a device was used at a moment, and perhaps where: a row of an operator that sends them.
package struct TimedEvent: Hashable, Sendable {
  /// UTC, seconds since 1970.
  package let second: Int64
  /// ``IMSI/packed``; 0: none.
  package let imsi: UInt64
  package let place: Place?

  package init(second: Int64, imsi: UInt64, place: Place? = nil) {
    self.second = second
    self.imsi = imsi
    self.place = place
  }
}

/// A place on the Earth, taken as a sphere.
///
/// Kept as a point in space, so that a distance is a subtraction. It is the straight line: never
/// longer than the way, and shorter by no more than 0.5 % up to 2,000 km and by a third at most, so
/// a device is never said to have moved faster than it did.
package struct Place: Hashable, Sendable {
  static let radiusMetres = 6_371_000.0

  /// Metres from the centre of the Earth.
  private let x: Int32
  private let y: Int32
  private let z: Int32

  /// Degrees north and east; nil for what is no place.
  package init?(latitude: Double, longitude: Double) {
    guard abs(latitude) <= 90, abs(longitude) <= 180 else { return nil }
    let (sinLatitude, cosLatitude) = Self.sineAndCosine(degrees: latitude)
    let (sinLongitude, cosLongitude) = Self.sineAndCosine(degrees: longitude)
    x = Int32((Self.radiusMetres * cosLatitude * cosLongitude).rounded())
    y = Int32((Self.radiusMetres * cosLatitude * sinLongitude).rounded())
    z = Int32((Self.radiusMetres * sinLatitude).rounded())
  }

  package func metres(to other: Place) -> Double {
    let (dx, dy, dz) = (Double(x - other.x), Double(y - other.y), Double(z - other.z))
    return (dx * dx + dy * dy + dz * dz).squareRoot()
  }

  /// Their series, exact to a micrometre on the Earth within half a turn: the standard library has
  /// no trigonometry.
  private static func sineAndCosine(degrees: Double) -> (sine: Double, cosine: Double) {
    let angle = degrees * .pi / 180
    var (sine, cosine, term) = (0.0, 0.0, 1.0)
    for power in 0..<30 {
      let sign = power & 2 == 0 ? 1.0 : -1.0
      if power & 1 == 0 { cosine += sign * term } else { sine += sign * term }
      term *= angle / Double(power + 1)
    }
    return (sine, cosine)
  }
}

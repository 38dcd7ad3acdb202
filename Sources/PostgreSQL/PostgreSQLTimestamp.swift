/// A `timestamptz`: microseconds, UTC, counted from 1970 (PostgreSQL counts from 2000).
package struct PostgreSQLTimestamp: Sendable, Hashable, Comparable {
  package let microsecondsSince1970: Int64

  package init(microsecondsSince1970: Int64) {
    self.microsecondsSince1970 = microsecondsSince1970
  }

  package init(secondsSince1970: Int64) {
    microsecondsSince1970 = secondsSince1970 * 1_000_000
  }

  /// Rounded down.
  package var secondsSince1970: Int64 {
    let (seconds, rest) = microsecondsSince1970.quotientAndRemainder(dividingBy: 1_000_000)
    return rest < 0 ? seconds - 1 : seconds
  }

  package static func < (left: Self, right: Self) -> Bool {
    left.microsecondsSince1970 < right.microsecondsSince1970
  }

  /// 2000-01-01 in microseconds since 1970.
  @usableFromInline static let epochMicroseconds: Int64 = 946_684_800_000_000

  /// `infinity` and `-infinity` are the ends of Int64 on the wire and stay the ends here.
  @inlinable package init(wire: Int64) {
    let (sum, overflow) = wire.addingReportingOverflow(Self.epochMicroseconds)
    let isInfinite = overflow || wire == .min
    microsecondsSince1970 = isInfinite ? (wire > 0 ? .max : .min) : sum
  }

  @inlinable var wire: Int64 {
    switch microsecondsSince1970 {
    case .max: .max
    case ..<(Int64.min + Self.epochMicroseconds): .min
    default: microsecondsSince1970 - Self.epochMicroseconds
    }
  }
}

/// A `date`: days since 1970-01-01.
package struct PostgreSQLDate: Sendable, Hashable, Comparable {
  package let daysSince1970: Int32

  package init(daysSince1970: Int32) { self.daysSince1970 = daysSince1970 }

  package static func < (left: Self, right: Self) -> Bool {
    left.daysSince1970 < right.daysSince1970
  }

  /// 2000-01-01 in days since 1970.
  @usableFromInline static let epochDays: Int32 = 10_957

  @inlinable package init(wire: Int32) {
    let (sum, overflow) = wire.addingReportingOverflow(Self.epochDays)
    daysSince1970 = overflow || wire == .min ? (wire > 0 ? .max : .min) : sum
  }

  @inlinable var wire: Int32 {
    switch daysSince1970 {
    case .max: .max
    case ..<(Int32.min + Self.epochDays): .min
    default: daysSince1970 - Self.epochDays
    }
  }
}

/// A place in the journal. Positions of a registry are dense: 1, 2, 3 …; 0 is before the first.
package struct Position: Hashable, Comparable, Sendable, CustomStringConvertible {
  package static let start = Position(0)

  /// The greatest that the database's bigint holds; no registry gets that far.
  package static let last = Position(UInt64(Int64.max))

  /// Never beyond ``last``, so that no number from outside can make the next one overflow.
  package let number: UInt64

  package init(_ number: UInt64) { self.number = min(number, UInt64(Int64.max)) }

  package var next: Position { Position(number + 1) }

  package static func < (left: Position, right: Position) -> Bool { left.number < right.number }

  package var description: String { String(number) }
}

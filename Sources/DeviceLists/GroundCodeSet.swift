/// A set of ground codes in one word of memory.
package struct GroundCodeSet: OptionSet, Hashable, Sendable, CustomStringConvertible {
  package let rawValue: UInt64

  package init(rawValue: UInt64) { self.rawValue = rawValue }

  package init(_ code: GroundCode) { rawValue = 1 << UInt64(code.rawValue) }

  package init(_ codes: some Sequence<GroundCode>) {
    rawValue = codes.reduce(0) { $0 | 1 << UInt64($1.rawValue) }
  }

  package func contains(_ code: GroundCode) -> Bool { contains(GroundCodeSet(code)) }

  /// In the order of their words.
  package var codes: [GroundCode] { GroundCode.allCases.filter(contains) }

  package var description: String { codes.map(\.description).joined(separator: ", ") }
}

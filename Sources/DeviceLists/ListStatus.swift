/// The list that a subject is on. The numbers are those of Equipment-Status, TS 29.272, 7.3.51.
package enum ListStatus: UInt8, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  case white = 0
  case black = 1
  case grey = 2

  package init?(word: some StringProtocol) {
    switch word {
    case "white": self = .white
    case "black": self = .black
    case "grey": self = .grey
    default: return nil
    }
  }

  package var description: String {
    switch self {
    case .white: "white"
    case .black: "black"
    case .grey: "grey"
    }
  }

  /// Black over grey over white: how statuses from several places add up.
  package var weight: UInt8 {
    switch self {
    case .white: 0
    case .grey: 1
    case .black: 2
    }
  }
}

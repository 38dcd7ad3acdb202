/// What a network element is told.
package enum CheckAnswer: Hashable, Sendable, CustomStringConvertible {
  case white, grey, black
  /// On no list: 404 on N17, 5422 on S13, unknownEquipment in MAP.
  case unknown

  package init(_ status: ListStatus) {
    switch status {
    case .white: self = .white
    case .grey: self = .grey
    case .black: self = .black
    }
  }

  package init?(word: some StringProtocol) {
    if word == "unknown" {
      self = .unknown
    } else if let status = ListStatus(word: word) {
      self.init(status)
    } else {
      return nil
    }
  }

  package var description: String {
    switch self {
    case .white: "white"
    case .grey: "grey"
    case .black: "black"
    case .unknown: "unknown"
    }
  }
}

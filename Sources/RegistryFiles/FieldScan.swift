/// Walks over one field after the other and remembers what bytes it saw.
struct FieldScan {
  enum Step {
    case nextField, lineEnded, limitReached, quoteOpen, stray
  }

  var place: Int
  let limit: Int
  let delimiter: UInt8
  /// At least 0x80 if a byte is not ASCII.
  var orOfBytes: UInt8 = 0
  var holdsNUL = false
  /// Line ends inside quotes.
  var lineEnds = 0
  var isEscaped = false

  init(from place: Int, limit: Int, delimiter: UInt8) {
    self.place = place
    self.limit = limit
    self.delimiter = delimiter
  }

  /// Goes on behind the delimiter or the line feed.
  mutating func passPlain(_ bytes: Span<UInt8>) -> Step {
    var at = place
    var seen: UInt8 = 0
    var zeros = false
    var step = Step.limitReached
    while at < limit {
      let byte = bytes[at]
      at += 1
      if byte == delimiter {
        step = .nextField
        break
      }
      if byte == .lineFeed {
        step = .lineEnded
        break
      }
      seen |= byte
      zeros = zeros || byte == 0
    }
    place = at
    orOfBytes |= seen
    holdsNUL = holdsNUL || zeros
    return step
  }

  /// Starts behind the opening quote and goes on behind the closing one; false if there is none.
  mutating func passQuoted(_ bytes: Span<UInt8>) -> Bool {
    isEscaped = false
    while place < limit {
      let byte = bytes[place]
      place += 1
      if byte != .quote {
        orOfBytes |= byte
        holdsNUL = holdsNUL || byte == 0
        lineEnds += byte == .lineFeed ? 1 : 0
      } else if place < limit, bytes[place] == .quote {
        place += 1
        isEscaped = true
      } else {
        return true
      }
    }
    return false
  }

  /// Goes on behind the delimiter or the line feed that must follow a closing quote.
  mutating func passClosed(_ bytes: Span<UInt8>) -> Step {
    if place < limit, bytes[place] == .carriageReturn,
      place + 1 == limit || bytes[place + 1] == .lineFeed
    {
      place += 1
    }
    guard place < limit else { return .limitReached }
    let byte = bytes[place]
    place += 1
    if byte == delimiter { return .nextField }
    return byte == .lineFeed ? .lineEnded : .stray
  }
}

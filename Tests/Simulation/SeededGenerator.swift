/// SplitMix64 (Steele, Lea, Flood 2014): the same seed gives the same numbers everywhere.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= Self.step
    return Self.mixed(state)
  }

  static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// Spreads every bit of `value` over all bits of the result.
  static func mixed(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}

/// Chance that can be asked for by name, in any order: each answer is a function of the seed, the
/// topic and the number, so nothing needs to be remembered.
struct Chance: Sendable {
  enum Topic: UInt64 {
    case deviceOrder = 1
    case reportOrder, types, slots, serials, secondSIM, operators, subscribers,
      numbers, reportDate, reportStatus, dirt, seenDays, technologies, copies, firstDay, freeTypes
  }

  let seed: UInt64

  func draw(_ topic: Topic, _ number: Int = 0) -> UInt64 {
    let topicState = SeededGenerator.mixed(seed &+ topic.rawValue &* SeededGenerator.step)
    return SeededGenerator.mixed(
      topicState ^ SeededGenerator.mixed(UInt64(truncatingIfNeeded: number)))
  }

  /// True in `percent` of a hundred cases.
  func holds(_ topic: Topic, _ number: Int, percent: UInt64) -> Bool {
    draw(topic, number) % 100 < percent
  }
}

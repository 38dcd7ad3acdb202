package import DeviceLists

/// A mass change that two approvers of the registry have allowed: what it made black in these
/// positions is not held by the brake.
package struct MassMark: Hashable, Sendable {
  package var run: Int64
  /// The run's positions lie above ``after``, up to ``upTo``.
  package var after: Position
  package var upTo: Position
  /// How many subjects of the feed it makes black.
  package var blacks: Int

  package init(run: Int64, after: Position, upTo: Position, blacks: Int) {
    self.run = run
    self.after = after
    self.upTo = upTo
    self.blacks = blacks
  }

  package func contains(_ position: Position) -> Bool { after < position && position <= upTo }
}

extension MassMark: JSONMessage {
  package func write(into text: inout JSONText) {
    text.member("run", UInt64(clamping: run))
    text.member("after", after.number)
    text.member("upTo", upTo.number)
    text.member("blacks", UInt64(clamping: blacks))
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    run = Int64(try object.count("run", 1...Int.max))
    after = try object.position("after")
    upTo = try object.position("upTo")
    blacks = try object.count("blacks", 0...Int.max)
    guard after < upTo else {
      throw ExchangeError(.wrongOrder, "a mass change from \(after) to \(upTo)")
    }
  }

  static func marks(in object: JSONValue) throws(ExchangeError) -> [MassMark] {
    guard let member = object["mass"] else { return [] }
    guard let values = member.array, values.count <= ExchangeLimits.mostMassMarks else {
      throw ExchangeError(.malformed, "no usable \"mass\"")
    }
    var marks: [MassMark] = []
    for value in values {
      let mark = try MassMark(value)
      guard mark.run > marks.last?.run ?? 0 else {
        throw ExchangeError(.wrongOrder, "mass changes out of order")
      }
      marks.append(mark)
    }
    return marks
  }
}

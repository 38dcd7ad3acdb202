/// What reads bytes from outside, each behind one function that takes any bytes at all.
///
/// `Scripts/fuzz` calls these functions with inputs of libFuzzer; FuzzTests with every input that
/// was kept. A fault stops the process: a trap, an access outside of memory, a broken promise.
package enum FuzzTarget: String, CaseIterable, Sendable {
  /// A connection of a Diameter peer: framing, session, S13.
  case diameter
  /// A connection that carries IPA messages with GSUP.
  case gsup
  /// Method, target and `accept` of a request on N17.
  case n17
  /// The directory of a list: index, log and held subjects. See ``ListInput``.
  case list

  /// Whether anything was understood, rather than all of it refused.
  @discardableResult
  package func run(_ input: [UInt8]) -> Bool {
    switch self {
    case .diameter: DiameterEntry.run(input)
    case .gsup: GSUPEntry.run(input)
    case .n17: N17Entry.run(input)
    case .list: ListEntry.run(input)
    }
  }
}

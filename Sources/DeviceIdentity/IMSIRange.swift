/// Consecutive IMSIs of one length, both ends included.
///
/// The ends name subscribers, so the description shows no more than their networks.
package struct IMSIRange: Hashable, Sendable, CustomStringConvertible {
  package let first: IMSI
  package let last: IMSI

  /// Nil where the ends differ in length or stand the wrong way round.
  package init?(first: IMSI, last: IMSI) {
    guard first.length == last.length, first <= last else { return nil }
    self.first = first
    self.last = last
  }

  package func contains(_ imsi: IMSI) -> Bool { first <= imsi && imsi <= last }

  package var description: String { "\(Self.shown(first))-\(Self.shown(last))" }

  private static func shown(_ imsi: IMSI) -> String {
    IMSIPrefix(value: imsi.value, length: imsi.length).description
  }
}

extension IMSIRange: CustomReflectable {
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}

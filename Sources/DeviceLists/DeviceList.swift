package import DeviceIdentity

/// What the engine needs to know of a list. One value of it never changes, so that all the look-ups
/// of a decision see the same position.
package protocol DeviceList: Sendable {
  var head: ListHead { get }
  func entry(of imei: IMEI) -> EntryClass?
  func entry(of pairing: Pairing) -> EntryClass?
  /// Whether any pairing of this IMEI is white.
  func hasException(_ imei: IMEI) -> Bool
  /// The fold of every range that contains the IMEI.
  func rangeEntry(containing imei: IMEI) -> EntryClass?
  func entry(of tac: TAC) -> EntryClass?
}

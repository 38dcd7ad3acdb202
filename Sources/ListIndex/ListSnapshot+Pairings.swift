package import DeviceIdentity
package import DeviceLists
internal import HashTreeCollections

extension ListSnapshot {
  /// The pairings of an IMEI that this list answers with white, in no order.
  package func exceptions(of imei: IMEI) -> [Pairing] {
    var found: [Pairing] = []
    func take(_ packed: UInt64) {
      guard let imsi = IMSI(packed: packed) else { return }
      let pairing = Pairing(imei: imei, imsi: imsi)
      if entry(of: pairing)?.status == .white, !found.contains(pairing) { found.append(pairing) }
    }
    for imsi in heldAnswers?.pairings[imei.number]?.keys.map({ $0 }) ?? [] { take(imsi) }
    for pairing in overlay.pairings[imei.number] ?? [] { take(pairing.imsi) }
    guard var place = index.firstPairing(of: imei.number) else { return found }
    while place < index.pairingCount {
      let pairing = index.pairing(place)
      guard pairing.imei == imei.number else { break }
      take(pairing.imsi)
      place += 1
    }
    return found
  }
}

extension ListSnapshot {
  /// About the bytes of the file that would be written of it now.
  package var estimatedBytes: Int { index.file.byteCount + overlay.count * Self.bytesPerChange }

  private static let bytesPerChange = 4
}

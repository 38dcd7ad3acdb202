package import DeviceIdentity

/// Who is asked about, as a binding understood it.
package enum CheckedIdentity: Hashable, Sendable {
  case device(IMEISV)
  /// Something that should have been an IMEI and is none, as it came.
  case unusable(UnusableIdentity)
  /// A device that has no IMEI (a MAC address, an EUI-64) or that was not named.
  case none
}

/// One question: may this device be used, perhaps by this subscriber?
package struct CheckQuery: Hashable, Sendable {
  package var identity: CheckedIdentity
  package var imsi: IMSI?
  /// Decides nothing; it is sighted with the device.
  package var msisdn: MSISDN?

  package init(identity: CheckedIdentity, imsi: IMSI? = nil, msisdn: MSISDN? = nil) {
    self.identity = identity
    self.imsi = imsi
    self.msisdn = msisdn
  }
}

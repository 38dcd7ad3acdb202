package import DeviceIdentity

/// What one operator saw of one device with one subscriber in one month: a row of `sighting`.
package struct SeenRow: Hashable, Sendable {
  /// ``IMSI/packed``; 0: none.
  package let imsi: UInt64
  /// ``MSISDN/packed``; 0: none.
  package let msisdn: UInt64
  /// The day numbers on which it was seen: bit 0 is the first of the month.
  package let days: UInt32
  package let technologies: RadioTechnology
  package let operatorNumber: Int32
  /// 0: the first month of the ``Period``.
  package let month: UInt8

  package init(
    operatorNumber: Int32, imsi: UInt64, msisdn: UInt64, month: UInt8, days: UInt32,
    technologies: RadioTechnology
  ) {
    self.operatorNumber = operatorNumber
    self.imsi = imsi
    self.msisdn = msisdn
    self.month = month
    self.days = days
    self.technologies = technologies
  }

  /// Fourteen or fifteen digits. Shorter ones come from test equipment and faulty exports: neither
  /// counts as a subscriber.
  static let smallestIMSI: UInt64 = 14_000_000_000_000_000

  var hasSubscriber: Bool { imsi >= Self.smallestIMSI }
}

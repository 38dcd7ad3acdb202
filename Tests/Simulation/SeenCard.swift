import DeviceIdentity

/// A SIM card in a device, and the days on which a network saw the two.
struct SeenCard {
  enum Identity {
    case imei(IMEI)
    case unusable(String)
  }

  let identity: Identity
  let subscriber: SeenSubscriber
  /// Bit 0 is the first of the month; the bit behind the last day's is the day after the month.
  var days: UInt32
  /// A place in ``DumpWriter/technologies``.
  let technology: Int
  /// Whether the operator takes its lines back in the corrected file.
  var isBillingError = false

  func asBillingError(without day: UInt32) -> SeenCard {
    var card = self
    card.days &= ~day
    card.isBillingError = true
    return card
  }
}

/// Of this country or of another.
struct SeenSubscriber {
  /// MCC and MNC, five digits.
  let network: String
  let imsiNumber: UInt64
  /// Three digits.
  let callingCode: String
  let msisdnNumber: UInt64

  init(network: String, imsiNumber: UInt64, callingCode: String = "999", msisdnNumber: UInt64) {
    self.network = network
    self.imsiNumber = imsiNumber
    self.callingCode = callingCode
    self.msisdnNumber = msisdnNumber
  }

  init(_ subscriber: SampleSubscriber) {
    self.init(
      network: subscriber.operatorIndex == 0 ? "00101" : "00102",
      imsiNumber: subscriber.number, msisdnNumber: subscriber.number)
  }
}

package import DeviceIdentity
package import DeviceLists

/// A device and a subscriber that a node has seen together, and what it answered.
///
/// Personal data: it has no description, so that it cannot reach a log by accident.
package struct Sighting: Hashable, Sendable {
  package enum Technology: String, Hashable, Sendable, CaseIterable {
    case gsm, umts, lte, lteM, nbIoT, nr
  }

  package var identity: ReportedIdentity
  package var imsi: IMSI
  package var msisdn: MSISDN?
  package var technology: Technology?
  package var status: CheckAnswer
  package var seenAt: Instant

  package init(
    identity: ReportedIdentity, imsi: IMSI, msisdn: MSISDN? = nil,
    technology: Technology? = nil, status: CheckAnswer, seenAt: Instant
  ) {
    self.identity = identity
    self.imsi = imsi
    self.msisdn = msisdn
    self.technology = technology
    self.status = status
    self.seenAt = seenAt
  }
}

extension Sighting: CustomReflectable {
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension Sighting: JSONMessage {
  package func write(into text: inout JSONText) {
    text.member("imei", identity.text)
    text.member("imsi", imsi.digits)
    if let msisdn { text.member("msisdn", msisdn.digits) }
    if let technology { text.member("technology", technology.rawValue) }
    text.member("status", status.description)
    text.member("seenAt", seenAt.description)
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    identity = try object.keptIdentity("imei")
    guard let imsi = try object.imsi("imsi") else { throw object.unusable("imsi") }
    self.imsi = imsi
    msisdn = try object.msisdn("msisdn")
    technology = try object["technology"].map { _ throws(ExchangeError) in
      try object.word("technology") { Technology(rawValue: $0) }
    }
    status = try object.word("status") { CheckAnswer(word: $0) }
    seenAt = try object.member("seenAt") { Instant($0) }
  }
}

extension Sighting {
  /// The body of `POST /exchange/v1/sightings`. One bad line refuses all, and the error names it.
  package static func lines(_ bytes: [UInt8]) throws(ExchangeError) -> [Sighting] {
    try RecordLines.read(bytes, most: ExchangeLimits.mostSightings)
  }
}

/// What became of sightings.
package struct SightingsAnswer: Hashable, Sendable {
  package var taken: Int
  package var repeated: Int

  package init(taken: Int, repeated: Int) {
    self.taken = taken
    self.repeated = repeated
  }
}

extension SightingsAnswer: JSONMessage {
  package func write(into text: inout JSONText) {
    text.member("taken", UInt64(clamping: taken))
    text.member("repeated", UInt64(clamping: repeated))
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    taken = try object.count("taken", 0...Int.max)
    repeated = try object.count("repeated", 0...Int.max)
  }
}

package import DeviceIdentity
package import DeviceLists

package struct SampleOperator: Hashable, Sendable {
  package let code: OperatorCode
  package let name: String
  /// Of the test network's country code 001. ITU-T E.212.
  package let plmn: PLMN

  static func both() throws(SimulationError) -> [SampleOperator] {
    [
      try SampleOperator(code: "alfa", name: "Alfa Mobile", plmn: "00101"),
      try SampleOperator(code: "beta", name: "Beta Telecom", plmn: "00102"),
    ]
  }

  private init(code: String, name: String, plmn: String) throws(SimulationError) {
    guard let code = OperatorCode(code) else { throw SimulationError(.badConstant(code)) }
    self.code = code
    self.name = name
    do throws(IdentityError) {
      self.plmn = try PLMN(plmn)
    } catch {
      throw SimulationError(.badConstant(plmn))
    }
  }
}

/// A SIM card. All are made up: network code 001 is for tests, and no country has the calling code
/// 999 (ITU-T E.164).
package struct SampleSubscriber: Hashable, Sendable {
  /// Its place in ``SampleCountry/operators``.
  package let operatorIndex: Int
  /// 0 to 9,999,999,999; unique in the country.
  package let number: UInt64

  /// Fifteen digits: 00101 or 00102, then the number.
  package var imsiDigits: String { String(decoding: imsiBytes, as: UTF8.self) }

  /// Thirteen digits: 999, then the number.
  package var msisdnDigits: String { String(decoding: msisdnBytes, as: UTF8.self) }

  package func imsi() throws(IdentityError) -> IMSI { try IMSI(imsiDigits) }

  package func msisdn() throws(IdentityError) -> MSISDN { try MSISDN(msisdnDigits) }

  private var imsiBytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendIMSI(of: self)
    return bytes
  }

  private var msisdnBytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendMSISDN(of: self)
    return bytes
  }
}

/// A telephone: an IMEI for each slot, and the SIM cards in its first slots.
package struct SampleDevice: Hashable, Sendable {
  package let number: Int
  /// One or two.
  package let imeis: [IMEI]
  /// One or two, at most as many as IMEIs.
  package let subscribers: [SampleSubscriber]
}

/// One line of the list of stolen devices.
package struct SampleReport: Hashable, Sendable {
  package let imei: IMEI
  package let ground: GroundCode
  /// Whether the file leaves the status empty, which means stolen.
  package let leavesStatusEmpty: Bool
  package let reportedOn: CivilDate?
  package let caseReference: String

  package init(
    imei: IMEI, ground: GroundCode, leavesStatusEmpty: Bool = false, reportedOn: CivilDate?,
    caseReference: String
  ) {
    self.imei = imei
    self.ground = ground
    self.leavesStatusEmpty = leavesStatusEmpty
    self.reportedOn = reportedOn
    self.caseReference = caseReference
  }
}

extension SampleCountry {
  static let mostDaysBack: UInt64 = 730

  /// What the holder of a stolen device reports: a line for each IMEI, under one case. `index` runs
  /// from 0 to ``stolenDeviceCount`` − 1.
  package func reports(_ index: Int) -> [SampleReport] {
    let daysBack = Int64(chance.draw(.reportDate, index) % Self.mostDaysBack)
    let day = CivilDate(daysSinceEpoch: asOf.daysSinceEpoch - daysBack)
    let percentile = chance.draw(.reportStatus, index) % 100
    let number = String(index + 1)
    let zeros = String(repeating: "0", count: max(0, 6 - number.count))
    return device(reportedDevice(index)).imeis.map { imei in
      SampleReport(
        imei: imei, ground: percentile < 10 ? .lost : .stolen,
        leavesStatusEmpty: (10..<15).contains(percentile),
        reportedOn: percentile >= 95 ? nil : day,
        caseReference: "XA-\(day.year)-\(zeros)\(number)")
    }
  }
}

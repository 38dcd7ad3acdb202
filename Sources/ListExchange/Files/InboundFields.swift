import DeviceIdentity
import DeviceLists

/// The fields of one line by their columns.
struct FieldValues {
  private let values: [String: String]

  init(columns: [String], fields: [String]) {
    values = Dictionary(zip(columns, fields), uniquingKeysWith: { first, _ in first })
  }

  func record(of kind: InboundName.Kind) throws(LineFault) -> InboundRecord {
    switch kind {
    case .requests: .request(try request())
    case .ownFull: .entry(try entry())
    case .ownDelta: .change(OwnListChange(try operation(), try entry()))
    case .sightings: .sighting(try sighting())
    case .resend: .resend(try required("number", or: .invalid) { FileNumber(Int($0) ?? 0) })
    case .acknowledgement: .acknowledgement(try acknowledgement())
    }
  }

  private func request() throws(LineFault) -> DeviceRequest {
    guard let reason = try remark("reason", most: ExchangeLimits.longestRemark) else {
      throw LineFault(.empty, "reason is empty")
    }
    return DeviceRequest(
      kind: try required("kind", or: .invalid) { DeviceRequest.Kind(rawValue: $0) },
      imei: try imei(), imsi: try optional("imsi") { text in try? IMSI(text) }, reason: reason,
      caseReference: try remark("case", most: ExchangeLimits.longestCaseReference))
  }

  private func entry() throws(LineFault) -> OwnListEntry {
    OwnListEntry(
      imei: try imei(), reason: try remark("reason", most: ExchangeLimits.longestRemark),
      caseReference: try remark("case", most: ExchangeLimits.longestCaseReference))
  }

  private func operation() throws(LineFault) -> OwnListChange.Operation {
    try required("operation", or: .invalid) { OwnListChange.Operation(rawValue: $0) }
  }

  private func sighting() throws(LineFault) -> Sighting {
    Sighting(
      identity: try required("imei", or: .unusableIdentity) { ReportedIdentity($0) },
      imsi: try required("imsi", or: .invalid) { text in try? IMSI(text) },
      msisdn: try optional("msisdn") { text in try? MSISDN(text) },
      technology: try optional("technology") { Sighting.Technology(rawValue: $0) },
      status: try required("status", or: .invalid) { CheckAnswer(word: $0) },
      seenAt: try required("seenAt", or: .invalid) { Instant($0) })
  }

  private func acknowledgement() throws(LineFault) -> Acknowledgement {
    Acknowledgement(
      standing: Standing(
        epoch: try required("epoch", or: .invalid) { Epoch($0) },
        position: try required("position", or: .invalid) { text in
          UInt64(text).flatMap { $0 <= Position.last.number ? Position($0) : nil }
        },
        digest: try required("digest", or: .invalid) { ListDigest($0) }),
      held: try required("held", or: .invalid) { text in Int(text).flatMap { $0 < 0 ? nil : $0 } })
  }

  private func imei() throws(LineFault) -> IMEI {
    try required("imei", or: .unusableIdentity) { IMEI(requested: $0) }
  }

  private func required<Value>(
    _ column: String, or code: LineCode, _ read: (String) -> Value?
  ) throws(LineFault) -> Value {
    guard let text = values[column], !text.isEmpty else {
      throw LineFault(.empty, "\(column) is empty")
    }
    guard let value = read(text) else { throw LineFault(code, "\(column) cannot be used") }
    return value
  }

  private func optional<Value>(
    _ column: String, _ read: (String) -> Value?
  ) throws(LineFault) -> Value? {
    guard values[column]?.isEmpty == false else { return nil }
    return try required(column, or: .invalid, read)
  }

  /// A text of some characters, none of them a control character.
  private func remark(_ column: String, most: Int) throws(LineFault) -> String? {
    try optional(column) { text in
      let scalars = text.unicodeScalars
      let isPlain = scalars.allSatisfy { $0.properties.generalCategory != .control }
      return scalars.count <= most && isPlain ? text : nil
    }
  }
}

import DeviceIdentity
import DeviceLists

/// Writes a node's file.
package struct InboundFileWriter {
  package private(set) var bytes: [UInt8]
  package private(set) var records = 0

  package init(_ kind: InboundName.Kind) {
    bytes = Array((kind.columns.joined(separator: ",") + "\n").utf8)
  }

  /// - Parameter record: of the kind of the file.
  package mutating func append(_ record: InboundRecord) {
    records += 1
    let fields = Self.fields(of: record)
    bytes += Array((fields.map(QuotedFields.written).joined(separator: ",") + "\n").utf8)
  }

  private static func fields(of record: InboundRecord) -> [String] {
    switch record {
    case .request(let request):
      [
        request.kind.rawValue, request.imei.description, request.imsi?.digits ?? "",
        request.reason, request.caseReference ?? "",
      ]
    case .entry(let entry): fields(of: entry)
    case .change(let change): [change.operation.rawValue] + fields(of: change.entry)
    case .sighting(let sighting):
      [
        sighting.identity.text, sighting.imsi.digits, sighting.msisdn?.digits ?? "",
        sighting.technology?.rawValue ?? "", sighting.status.description,
        sighting.seenAt.description,
      ]
    case .resend(let number): [String(number.number)]
    case .acknowledgement(let acknowledgement):
      [
        acknowledgement.standing.epoch.description, acknowledgement.standing.position.description,
        acknowledgement.standing.digest.description, String(acknowledgement.held),
      ]
    }
  }

  private static func fields(of entry: OwnListEntry) -> [String] {
    [entry.imei.description, entry.reason ?? "", entry.caseReference ?? ""]
  }
}

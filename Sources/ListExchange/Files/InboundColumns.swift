extension InboundName.Kind {
  /// The columns of the data file, in this order. `Schema/exchange/files.md`.
  package var columns: [String] {
    switch self {
    case .requests: ["kind", "imei", "imsi", "reason", "case"]
    case .ownFull: ["imei", "reason", "case"]
    case .ownDelta: ["operation", "imei", "reason", "case"]
    case .sightings: ["imei", "imsi", "msisdn", "technology", "status", "seenAt"]
    case .resend: ["number"]
    case .acknowledgement: ["epoch", "position", "digest", "held"]
    }
  }
}

/// One line of a node's file, understood.
package enum InboundRecord: Hashable, Sendable {
  case request(DeviceRequest)
  case entry(OwnListEntry)
  case change(OwnListChange)
  case sighting(Sighting)
  case resend(FileNumber)
  case acknowledgement(Acknowledgement)
}

/// Why one line is refused. Names columns and never what stood in them.
package struct LineRefusal: Hashable, Sendable {
  /// The header is line 1.
  package var line: Int
  package var code: LineCode
  package var detail: String

  package init(line: Int, _ code: LineCode, _ detail: String = "") {
    self.line = line
    self.code = code
    self.detail = detail.isEmpty ? code.title : String(detail.prefix(FileLimits.longestDetail))
  }
}

/// A list that somebody keeps and hands over, whole or in changes. The words are those of the
/// command line and of the column `import.kind`.
package enum ListKind: String, Sendable, CaseIterable {
  case stolen
  case barred
  case barredTAC = "barred-tac"
  case golden
  case pairing
  case registration
  case monitoring
  case goldenHashed = "golden-hashed"
  case subscribers
  case associations
  case typeApproval = "type-approval"

  /// The columns of which one must name the device, the type or the subscriber.
  var keyColumns: [String] {
    switch self {
    case .stolen, .barred, .monitoring, .pairing, .associations: ["imei"]
    case .registration: ["approved_imei", "imei"]
    case .golden: ["golden_imei", "imei"]
    case .goldenHashed: ["golden_imei", "imei_hash", "hash"]
    case .barredTAC, .typeApproval: ["tac"]
    case .subscribers: ["imsi"]
    }
  }

  /// Another column that must be there.
  var secondColumn: String? {
    switch self {
    case .pairing: "imsi"
    case .subscribers, .associations: "uid"
    default: nil
    }
  }

  /// A column that may be there and is not kept.
  var passedColumn: String? { self == .pairing ? "msisdn" : nil }

  /// Whether the columns without a field of their own are kept.
  var keepsAttributes: Bool { self == .registration || self == .typeApproval }

  /// Whether a line says more than that something is on the list, so that it can change.
  package var hasValues: Bool { keepsAttributes || self == .stolen }

  /// Whether its lines name devices by IMEI.
  package var hasIMEIs: Bool {
    switch self {
    case .goldenHashed, .barredTAC, .typeApproval, .subscribers: false
    default: true
    }
  }
}

/// What a line of changes asks for.
package enum ListChange: UInt8, Hashable, Sendable {
  case add = 1
  case remove = 2
  case update = 3
}

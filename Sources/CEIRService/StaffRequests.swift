import DeviceIdentity
import DeviceLists
import HTTPTypes
package import RegistryStore

/// `POST /v1/devices/{imei}/block`.
struct BlockRequest: Decodable {
  let caseReference: String
  let reason: String
  /// `stolen` unless something else is said.
  let ground: String?
  /// `all` or an operator's code.
  let scope: String?
  /// From when and until when, RFC 3339 in UTC.
  let start: String?
  let end: String?

  func ground(on imei: IMEI, source: String, asOf now: Instant) throws -> NewGround {
    try requireText(caseReference, named: "caseReference")
    try requireText(reason, named: "reason")
    guard let code = GroundCode(word: ground ?? "stolen"), code.defaultStatus != .white else {
      throw Problem(.badRequest, "ground", "The ground is not a code that blocks a device.")
    }
    guard let scope = Scope(scope ?? "all") else {
      throw Problem(.badRequest, "scope", "The scope must be \"all\" or an operator's code.")
    }
    let start = try instant(start, named: "start")
    let end = try instant(end, named: "end")
    if let end, end <= (start ?? now) {
      throw Problem(.badRequest, "end", "The end must be later than the start.")
    }
    return NewGround(
      on: .imei(imei), scope: scope, code: code, source: source, caseReference: caseReference,
      reason: reason, start: start, end: end)
  }

  private func instant(_ text: String?, named name: String) throws -> Instant? {
    guard let text else { return nil }
    guard let instant = Instant(text) else {
      throw Problem(.badRequest, name, "\(name) must look like 2026-11-23T06:23:17Z.")
    }
    return instant
  }
}

/// `POST /v1/devices/{imei}/unblock` and `…/release`.
struct ReasonRequest: Decodable {
  let reason: String
  let caseReference: String?
}

func requireText(_ text: String, named name: String) throws {
  guard PlainText.isFit(text) else {
    throw Problem(.badRequest, name, "\(name) must have \(PlainText.rule).")
  }
}

/// What a person writes into the registry: it is shown on terminals and pages later.
package enum PlainText {
  static let longest = 500
  package static let rule = "1 to \(longest) characters without control or format characters"
  /// What hides, turns round or breaks a line where a person reads it.
  private static let refused: Set<Unicode.GeneralCategory> = [
    .control, .format, .lineSeparator, .paragraphSeparator,
  ]
  /// The joiners, which Persian and the scripts of India are written with, and which hide nothing.
  private static let joiners: Set<Unicode.Scalar> = ["\u{200C}", "\u{200D}"]

  package static func isFit(_ text: String) -> Bool {
    (1...longest).contains(text.count)
      && text.unicodeScalars.allSatisfy {
        joiners.contains($0) || !refused.contains($0.properties.generalCategory)
      }
  }
}

/// The answer to a change.
struct ChangeAnswer: Encodable {
  let imeis: [String]
  /// The change is on every list that has reached this position; absent while it waits.
  let position: UInt64?
  let status: String
  /// After an unblock: the grounds that keep the device black nevertheless.
  var stillBlack: [DeviceAnswer.Ground]?
}

/// All that the registry knows of a device, for its staff.
package struct DeviceAnswer: Encodable, Sendable {
  struct Listing: Encodable {
    let on: String
    let scope: String
    let status: String
    let grounds: [String]
    let overridable: Bool
    let since: String
    let position: UInt64
  }

  package struct Ground: Encodable, Sendable {
    let number: Int64
    let on: String
    let scope: String
    let ground: String
    let status: String
    let source: String
    let caseReference: String
    let reason: String
    let start: String
    let end: String?
    let recordedBy: String
    let endRecordedBy: String?
    let endReason: String?

    package init(_ ground: RecordedGround) {
      number = ground.number
      on = ground.subject.name
      scope = ground.scope.description
      self.ground = ground.code.description
      status = ground.status.description
      source = ground.source
      caseReference = ground.caseReference
      reason = ground.reason
      start = ground.start.description
      end = ground.end?.description
      recordedBy = ground.recordedBy
      endRecordedBy = ground.endRecordedBy
      endReason = ground.endReason
    }
  }

  struct Release: Encodable {
    let number: Int64
    let scope: String
    let grounds: [String]
    let reason: String
    let start: String
    let end: String?
    let recordedBy: String
  }

  let imei: String
  let tac: String
  let manufacturer: String?
  let model: String?
  let status: String
  let siblings: [String]
  let pairings: Int
  let lists: [Listing]
  let grounds: [Ground]
  let releases: [Release]

  package init(_ record: DeviceRecord) {
    imei = record.imei.dialled
    tac = record.imei.tac.description
    manufacturer = record.manufacturer
    model = record.model
    siblings = record.siblings.map(\.dialled)
    pairings = record.pairingCount
    let own = record.entries.filter { $0.subject.kind == .imei && $0.scope == .all }
    status = own.first.map { $0.entryClass.status.description } ?? "unlisted"
    lists = record.entries.map { entry in
      Listing(
        on: entry.subject.name, scope: entry.scope.description,
        status: entry.entryClass.status.description,
        grounds: entry.entryClass.codes.codes.map(\.description),
        overridable: entry.entryClass.isOverridable, since: entry.since.description,
        position: entry.position.number)
    }
    grounds = record.grounds.map(Ground.init)
    releases = record.releases.map { release in
      Release(
        number: release.number, scope: release.scope.description,
        grounds: release.codes.codes.map(\.description), reason: release.reason,
        start: release.start.description, end: release.end?.description,
        recordedBy: release.recordedBy)
    }
  }
}

extension Subject {
  /// What staff read: never a subscriber.
  fileprivate var name: String {
    switch self {
    case .imei: "imei"
    case .range(let range): "range \(range)"
    case .tac(let tac): "tac \(tac)"
    case .pairing: "pairing"
    }
  }
}

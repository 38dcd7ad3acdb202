import DeviceIdentity
import DeviceLists
import ListExchange
import RegistryStore

/// Hummingbird has a type of the same name.
typealias DeviceRequestID = ListExchange.RequestID

/// From the messages of the exchange to what the registry keeps, and back.
extension NewSighting {
  init(_ sighting: Sighting) {
    let identity: Identity =
      switch sighting.identity {
      case .device(let device): .imei(device.imei)
      case .unusable(let identity): .unusable(identity)
      }
    self.init(
      identity: identity, imsi: sighting.imsi, msisdn: sighting.msisdn,
      technology: sighting.technology?.rawValue ?? "", answer: sighting.status,
      seenAt: sighting.seenAt)
  }
}

extension NewDeviceRequest {
  init(_ request: DeviceRequest) {
    let kind: Kind =
      switch request.kind {
      case .block: .block
      case .unblock: .unblock
      }
    self.init(
      kind: kind, imei: request.imei, imsi: request.imsi, reason: request.reason,
      caseReference: request.caseReference ?? "")
  }
}

extension DeviceRequestAnswer {
  init(_ recorded: RecordedRequest) throws {
    guard let request = DeviceRequestID(recorded.request), let state = State(recorded.state) else {
      throw StoreError(.corrupt, "The database holds a request that cannot be one.")
    }
    self.init(
      request: request, state: state, position: recorded.position, reason: recorded.refusal)
  }
}

extension DeviceRequestAnswer.State {
  init?(_ state: RecordedRequest.State) { self.init(rawValue: state.rawValue) }
}

extension OwnListLine {
  init(_ entry: OwnListEntry) {
    self.init(
      .add, entry.imei, reason: entry.reason ?? "", caseReference: entry.caseReference ?? "")
  }

  init(_ change: OwnListChange) {
    self.init(change.entry)
    if change.operation == .remove { operation = .remove }
  }
}

extension OwnListAnswer {
  init(_ outcome: OwnListOutcome) {
    self.init(added: outcome.added, ended: outcome.ended, unchanged: outcome.unchanged)
  }
}

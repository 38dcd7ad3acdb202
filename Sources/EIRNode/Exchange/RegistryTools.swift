import DeviceIdentity
import DeviceLists
import ExchangeTrust
import ListExchange
import NIOHTTP1
import X509

/// What a person asks of the registry with the node's certificate, whether the node runs or not.
package struct RegistryTools: Sendable {
  private let settings: NodeSettings
  private let credentials: NodeCredentials

  package init(settings: NodeSettings) throws(NodeError) {
    self.settings = settings
    credentials = try NodeCredentials(settings)
  }

  package func renewCertificate() async throws -> CertificateReport {
    _ = try await asking { client in
      try await CertificateRenewal(files: credentials.files, client: client).renew(asOf: .now())
    }
    return CertificateReport(credentials)
  }

  package func send(_ order: DeviceOrder) async throws -> RequestReport {
    try await asking { client in
      let answer = try await client.document(
        .POST, ExchangePath.requests, body: (ExchangePath.json, order.request.json),
        key: .random())
      return RequestReport(try DeviceRequestAnswer(json: answer))
    }
  }

  package func request(_ text: String) async throws -> RequestReport {
    guard let id = RequestID(text) else {
      throw NodeError(.settings, "a request is named by 32 hexadecimal digits")
    }
    return try await asking { client in
      let answer = try await client.document(.GET, "\(ExchangePath.requests)/\(id)")
      return RequestReport(try DeviceRequestAnswer(json: answer))
    }
  }

  private func asking<Value: Sendable>(
    _ body: (RegistryClient) async throws -> Value
  ) async throws -> Value {
    guard let url = settings.ceirURL else {
      throw NodeError(.settings, "ceir.url is not set")
    }
    let peer = NodeExchange.peer(credentials)
    let client = RegistryClient(client: peer, url: url, instance: credentials.instance)
    do {
      let value = try await body(client)
      try await peer.shutdown()
      return value
    } catch {
      try await peer.shutdown()
      throw FeedLoop.nodeError(error)
    }
  }
}

/// A request of an operator, checked.
package struct DeviceOrder: Hashable, Sendable {
  package enum Kind: Sendable {
    case block, unblock
  }

  let request: DeviceRequest

  package init(
    _ kind: Kind, imei: String, imsi: String?, reason: String, caseReference: String?
  ) throws(NodeError) {
    guard let device = IMEI(requested: imei) else {
      throw NodeError(
        .settings, "the IMEI must be 15 digits with the right check digit, or the first 14")
    }
    var subscriber: IMSI?
    do throws(IdentityError) {
      subscriber = try imsi.map { text throws(IdentityError) in try IMSI(text) }
    } catch {
      throw NodeError(.settings, "the IMSI \(error)")
    }
    request = DeviceRequest(
      kind: kind == .block ? .block : .unblock, imei: device, imsi: subscriber, reason: reason,
      caseReference: caseReference)
  }
}

/// How far a request has come.
package struct RequestReport: Hashable, Codable, Sendable {
  package var request: String
  package var state: String
  package var position: UInt64?
  package var reason: String?

  init(_ answer: DeviceRequestAnswer) {
    request = answer.request.description
    state = answer.state.rawValue
    position = answer.position?.number
    reason = answer.reason
  }

  package var text: String {
    let place = position.map { " at position \($0)" } ?? ""
    return "request \(request): \(state)\(place)\(reason.map { ": \($0)" } ?? "")"
  }
}

/// The certificate of a node.
package struct CertificateReport: Hashable, Codable, Sendable {
  package var name: String
  package var serial: String
  package var from: String
  package var until: String
  /// When the node renews it by itself.
  package var renewedFrom: String
  package var instance: String

  package init(settings: NodeSettings) throws(NodeError) {
    self.init(try NodeCredentials(settings))
  }

  init(_ credentials: NodeCredentials) {
    let material = credentials.files.current
    let leaf = material.credential.leaf
    name = material.own.description
    serial = leaf.serial.description
    from = leaf.validFrom.description
    until = leaf.validUntil.description
    renewedFrom = CertificateRenewal.dueAt(leaf).description
    instance = credentials.instance.description
  }

  package var text: String {
    """
    certificate of \(name)
      serial     \(serial)
      counts     from \(from) until \(until)
      renewed    from \(renewedFrom)
      instance   \(instance)
    """
  }
}

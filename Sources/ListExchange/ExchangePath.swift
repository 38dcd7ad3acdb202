/// Where the interface is found, and in which forms it speaks.
package enum ExchangePath {
  package static let openAPI = "/exchange/v1/openapi.yaml"
  package static let status = "/exchange/v1/status"
  package static let changes = "/exchange/v1/changes"
  package static let snapshot = "/exchange/v1/snapshot"
  package static let luStatus = "/exchange/v1/lu-status"
  package static let queries = "/exchange/v1/queries"
  package static let acknowledgements = "/exchange/v1/acknowledgements"
  package static let parameters = "/exchange/v1/parameters"
  package static let parameterConfirmations = "/exchange/v1/parameters/confirmations"
  package static let sightings = "/exchange/v1/sightings"
  package static let requests = "/exchange/v1/requests"
  package static let ownList = "/exchange/v1/own-list"
  package static let fileResends = "/exchange/v1/files/resends"
  package static let certificates = "/exchange/v1/certificates"
  /// At a node.
  package static let broadcast = "/exchange/v1/broadcast"

  package static let ndjson = "application/x-ndjson"
  package static let index = "application/vnd.openceir.index"
  package static let json = "application/json"
  package static let problem = "application/problem+json"
  package static let yaml = "application/yaml"
  package static let certificateRequest = "application/pkcs10"
  package static let certificateChain = "application/pem-certificate-chain"
}

/// Names of header fields, and what is said in them.
package enum ExchangeHeader {
  package static let idempotencyKey = "Idempotency-Key"
  /// `true` where an answer is given once more.
  package static let idempotencyReplayed = "Idempotency-Replayed"
  /// The newest version of the parameters that is proposed to the node.
  package static let parameters = "OpenCEIR-Parameters"
  /// The ``InstanceID`` of the node that asks.
  package static let instance = "OpenCEIR-Instance"
  /// RFC 7240, 2.
  package static let prefer = "Prefer"
  /// RFC 7240, 4.1: the broadcast is taken now and acknowledged later.
  package static let respondAsync = "respond-async"
}

import Logging
import ServiceLifecycle

/// What stands before the answers of N17, where the operator has set it: TLS, and tokens.
struct N17Front: Sendable {
  let tls: SignallingTLS?
  let gate: TokenGate?
  /// Watch the files of both.
  let services: [any Service]
  /// How the files of both are.
  let reports: [@Sendable () -> StatusReport.KeyFiles]

  init(_ settings: N17Settings, logger: Logger) async throws(NodeError) {
    var services: [any Service] = []
    var reports: [@Sendable () -> StatusReport.KeyFiles] = []
    if let path = settings.tokenKeys {
      let texts = try FileWatch.read([path])
      let gate = TokenGate(
        keys: try await Self.keys(texts[0], path: path, logger: logger),
        audience: .init(instanceID: settings.nfInstanceID), logger: logger)
      let watch = FileWatch(paths: [path], what: "the NRF's keys", logger: logger) {
        texts throws(NodeError) in
        gate.replace(keys: try await Self.keys(texts[0], path: path, logger: logger))
      }
      services.append(LoopService { await watch.run(known: texts) })
      reports.append { [health = watch.health, what = watch.what] in
        StatusReport.KeyFiles(what: what, certificateEnds: nil, trouble: health.trouble)
      }
      self.gate = gate
    } else {
      gate = nil
    }
    if let files = settings.tls {
      let watched = try SignallingTLS.watched(
        files, for: "n17", what: "the certificates of N17", protocols: ["h2", "http/1.1"],
        logger: logger)
      services.append(watched.watch)
      reports.append(watched.report)
      tls = watched.tls
    } else {
      tls = nil
    }
    self.services = services
    self.reports = reports
  }

  private static func keys(
    _ text: String, path: String, logger: Logger
  ) async throws(NodeError) -> TokenKeys {
    let keys = try await TokenKeys(text: text, path: path)
    if !keys.passedOver.isEmpty {
      let places = keys.passedOver.prefix(TokenKeys.most).map(String.init)
      logger.warning(
        "keys of the NRF that cannot be used are passed over",
        metadata: ["keys": "\(places.joined(separator: ", "))"])
    }
    return keys
  }
}

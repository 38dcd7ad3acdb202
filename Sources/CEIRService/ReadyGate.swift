import Synchronization

/// Where a CEIR answers.
package struct ServedAddresses: Hashable, Sendable, CustomStringConvertible {
  package let http: ListenAddress
  /// Nil without certificates.
  package var exchange: ListenAddress?
  package var status: ListenAddress?

  package var description: String {
    var text = "http://\(http)"
    if let exchange { text += ", exchange https://\(exchange)" }
    if let status { text += ", status https://\(status)" }
    return text
  }
}

/// Tells once that every listener is open.
final class ReadyGate: Sendable {
  enum Listener: Hashable { case http, exchange, status }

  private let waitingFor: Set<Listener>
  private let settings: CEIRSettings
  private let then: @Sendable (ServedAddresses) -> Void
  private let open = Mutex<[Listener: Int]>([:])

  init(
    waitingFor: Set<Listener>, settings: CEIRSettings,
    then: @escaping @Sendable (ServedAddresses) -> Void
  ) {
    self.waitingFor = waitingFor
    self.settings = settings
    self.then = then
  }

  func opened(_ listener: Listener, _ port: Int) {
    let ports = open.withLock { open in
      open[listener] = port
      return Set(open.keys) == waitingFor ? open : nil
    }
    guard let ports else { return }
    func address(_ listener: Listener, _ host: String) -> ListenAddress? {
      ports[listener].map { ListenAddress(host: host, port: $0) }
    }
    then(
      ServedAddresses(
        http: ListenAddress(host: settings.httpHost, port: ports[.http] ?? 0),
        exchange: address(.exchange, settings.exchangeListen.host),
        status: address(.status, settings.statusListen.host)))
  }
}

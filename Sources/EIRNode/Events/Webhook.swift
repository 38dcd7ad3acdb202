import AsyncHTTPClient
import DeviceLists
import ListExchange
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// The operator's own system, as it is told of events.
struct Webhook: Sendable {
  private static let connectSeconds: Int64 = 5
  /// From the first byte sent to the answer known.
  static let patience = TimeAmount.seconds(30)
  /// Of an answer, whose status alone counts.
  private static let longestAnswerBytes = 65_536
  static let longestTokenBytes = 8_192

  let settings: EventsSettings
  private let certificates: [NIOSSLCertificate]?

  /// Refuses what cannot be used, so that it is seen at the start.
  init(_ settings: EventsSettings) throws(NodeError) {
    self.settings = settings
    do {
      certificates = try settings.caFile.map { try NIOSSLCertificate.fromPEMFile($0) }
    } catch {
      throw NodeError(
        .settings, "events.caFile must name a file of certificates in PEM", underlying: error)
    }
    if certificates?.isEmpty == true {
      throw NodeError(.settings, "events.caFile holds no certificate")
    }
    _ = try token()
  }

  /// Read for every message, so that a new one needs no restart.
  func token() throws(NodeError) -> String? {
    guard let path = settings.tokenFile else { return nil }
    let text = try SmallFile.content(of: path).map { String(decoding: $0, as: UTF8.self) }
    let first = (text ?? "").split(separator: "\n", maxSplits: 1).first?.filter { $0 != "\r" } ?? ""
    let isUsable = first.utf8.allSatisfy { 0x21...0x7E ~= $0 }
    guard 1...Self.longestTokenBytes ~= first.utf8.count, isUsable else {
      throw NodeError(.settings, "the first line of events.tokenFile must hold the token")
    }
    return String(first)
  }

  /// Must be shut down.
  func client() -> HTTPClient {
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: .init(connect: .seconds(Self.connectSeconds), read: Self.patience))
    // Trying again is the work of who calls.
    configuration.connectionPool.retryConnectionEstablishment = false
    if let certificates {
      var security = TLSConfiguration.makeClientConfiguration()
      security.trustRoots = .certificates(certificates)
      configuration.tlsConfiguration = security
    }
    return HTTPClient(
      eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton),
      configuration: configuration)
  }

  /// Throws unless the system says that it has the message.
  func post(
    _ content: [UInt8], key: IdempotencyKey, token: String?, by client: HTTPClient
  ) async throws {
    var request = HTTPClientRequest(url: settings.url)
    request.method = .POST
    request.headers.add(name: "user-agent", value: "openceir-eir/1")
    request.headers.add(name: "content-type", value: ExchangePath.ndjson)
    request.headers.add(name: ExchangeHeader.idempotencyKey, value: key.description)
    if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
    request.body = .bytes(ByteBuffer(bytes: content))
    let response = try await client.execute(request, deadline: .now() + Self.patience)
    // The connection can be used again once this is read; the status is known before.
    _ = try? await response.body.collect(upTo: Self.longestAnswerBytes)
    guard (200..<300).contains(response.status.code) else {
      throw NodeError(.webhook, "HTTP status \(response.status.code)")
    }
  }
}

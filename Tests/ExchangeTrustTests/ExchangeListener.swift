import CheckServer
import DeviceLists
import ExchangeTrust
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import Simulation
import Synchronization

/// Both kinds of listeners of an exchange, with one gate and one table of connections.
///
/// `/who` tells the peer; `/wait` is answered when the connection ends.
final class ExchangeListener: Sendable {
  let folder: TemporaryFolder
  let sample: SampleAuthority
  let files: TrustedFiles
  let connections: PeerConnections
  let group: MultiThreadedEventLoopGroup
  /// Requests that were let through.
  let requests = Mutex(0)
  private let ports = Mutex((exchange: 0, check: 0))

  var port: Int { ports.withLock { $0.exchange } }
  var checkPort: Int { ports.withLock { $0.check } }
  var requestCount: Int { requests.withLock { $0 } }

  private init(
    _ sample: SampleAuthority, server: Credential, limits: ConnectionLimits
  ) throws {
    self.sample = sample
    folder = try TemporaryFolder()
    let credential = CredentialFiles(directory: folder.path, name: "ceir")
    try credential.create(server, root: sample.authority.root)
    files = try TrustedFiles(credential)
    connections = PeerConnections(limits: limits)
    group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
  }

  /// - Parameter server: what the listeners show; a certificate of the CEIR without it.
  static func run(
    _ sample: SampleAuthority, server: Credential? = nil, limits: ConnectionLimits = .init(),
    _ body: @Sendable (ExchangeListener) async throws -> Void
  ) async throws {
    let listener = try ExchangeListener(
      sample, server: server ?? sample.issue(.ceir), limits: limits)
    var logger = Logger(label: "exchange")
    logger.logLevel = .critical
    let gate = PeerGate(
      files: listener.files, accepting: .anyNode, connections: listener.connections,
      logger: logger)
    var checkLimits = CheckServerLimits()
    checkLimits.drain = .milliseconds(200)
    let check = try await CheckServer.start(
      host: "127.0.0.1", port: 0, group: listener.group, limits: checkLimits,
      security: ConnectionSecurity { channel, identify in
        try gate.handlers(for: channel) { identify($0) }
      }, responder: PeerResponder(listener: listener))
    let (ready, isReady) = AsyncStream.makeStream(of: Int.self)
    let application = Application(
      router: listener.router(), server: .exchange(gate),
      configuration: .init(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { isReady.yield($0.localAddress?.port ?? 0) }, logger: logger)
    let running = Task { try await application.run() }
    for await port in ready {
      listener.ports.withLock { $0 = (port, check.port) }
      break
    }
    do {
      try await body(listener)
    } catch {
      await listener.stop(running, check)
      throw error
    }
    await listener.stop(running, check)
  }

  private func stop(_ running: Task<Void, any Error>, _ check: CheckServer) async {
    running.cancel()
    _ = await running.result
    await check.shutdown()
    group.shutdownGracefully { _ in }
  }

  private func router() -> Router<ConnectionRequestContext> {
    let router = Router(context: ConnectionRequestContext.self)
    router.add(middleware: PeerMiddleware(connections))
    let routes = router.group(context: ExchangeRequestContext.self)
    routes.get("who") { [self] _, context in
      requests.withLock { $0 += 1 }
      return "\(context.peer.name) \(context.peer.serial)"
    }
    routes.get("wait") { [self] _, context in
      requests.withLock { $0 += 1 }
      let peer = context.peer
      try await eventually("the end of the connection") { !connections.peers.contains(peer) }
      return "over"
    }
    return router
  }
}

private struct PeerResponder: CheckResponder {
  let listener: ExchangeListener

  func respond(to request: CheckRequest, on eventLoop: any EventLoop) -> CheckReply {
    listener.requests.withLock { $0 += 1 }
    if request.target == "/wait" {
      return .later(eventLoop.makePromise(of: CheckResponse.self).futureResult)
    }
    let peer = request.peer?.value as? VerifiedPeer
    return .now(
      CheckResponse(
        status: 200, contentType: "text/plain",
        body: ByteBuffer(string: peer.map { "\($0.name) \($0.serial)" } ?? "nobody")))
  }
}

/// A peer that asks with curl.
struct CurlPeer {
  let folder: TemporaryFolder
  let credential: Credential

  init(_ credential: Credential, trusting sample: SampleAuthority) throws {
    folder = try TemporaryFolder()
    self.credential = credential
    try CredentialFiles(directory: folder.path, name: "node").create(
      credential, root: sample.authority.root)
  }

  var who: String {
    credential.leaf.peerName.map { "\($0) \(credential.leaf.serial)" } ?? "nobody"
  }

  /// - Parameter version: `--http1.1` or `--http2`.
  func get(
    _ path: String, port: Int, _ version: String = "--http2", more: [String] = []
  ) async throws -> Tool {
    try await Tool.run(
      "/usr/bin/curl",
      [
        "-sS", "--max-time", "50", version, "--cert", "\(folder.path)/node.pem", "--key",
        "\(folder.path)/node.key", "--cacert", "\(folder.path)/root.pem",
      ] + more + ["https://localhost:\(port)\(path)"], in: folder)
  }
}

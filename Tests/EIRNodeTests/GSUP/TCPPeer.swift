import NIOCore
import NIOPosix
import Simulation
import Synchronization

/// One end of a connection: keeps what arrives, sends what it is told to.
final class TCPPeer: Sendable {
  private struct State {
    var received: [UInt8] = []
    var isClosed = false
  }

  private let state = Mutex(State())
  private let channel: any Channel

  private init(_ channel: any Channel) { self.channel = channel }

  /// - Parameters:
  ///   - own: the address that it comes from; nil for any.
  ///   - reads: whether it reads before it is told to.
  static func connect(
    _ host: String, _ port: Int, from own: String? = nil, reads: Bool = true,
    within limit: TimeAmount = .seconds(10)
  ) async throws -> TCPPeer {
    var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    if let own { bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: own, port: 0)) }
    return
      try await bootstrap
      .connectTimeout(limit)
      .channelOption(.autoRead, value: reads)
      .channelOption(.socketOption(.so_rcvbuf), value: 1 << 17)
      .channelOption(.socketOption(.so_sndbuf), value: 1 << 17)
      .connect(host: host, port: port) { channel in
        channel.eventLoop.makeCompletedFuture { try TCPPeer.taking(channel) }
      }
  }

  static func taking(_ channel: any Channel) throws -> TCPPeer {
    let peer = TCPPeer(channel)
    try channel.pipeline.syncOperations.addHandler(Keeper(peer))
    return peer
  }

  var received: [UInt8] { state.withLock { $0.received } }
  var isClosed: Bool { state.withLock { $0.isClosed } }
  var isWritable: Bool { channel.isWritable }

  /// Whole IPA messages, with their envelopes.
  var messages: [[UInt8]] {
    var (rest, messages) = (received[...], [[UInt8]]())
    while rest.count >= 3 {
      let octets = 3 + Int(rest[rest.startIndex]) << 8 + Int(rest[rest.startIndex + 1])
      guard rest.count >= octets else { break }
      messages.append(Array(rest.prefix(octets)))
      rest.removeFirst(octets)
    }
    return messages
  }

  func send(_ octets: [UInt8]) async throws {
    try await channel.writeAndFlush(ByteBuffer(bytes: octets)).get()
  }

  /// Without waiting for the other side to take it.
  func push(_ octets: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: octets), promise: nil) }

  func startReading() async throws {
    try await channel.setOption(.autoRead, value: true).get()
    channel.read()
  }

  func close() async { try? await channel.close().get() }

  private final class Keeper: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let peer: TCPPeer

    init(_ peer: TCPPeer) { self.peer = peer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let octets = Array(unwrapInboundIn(data).readableBytesView)
      peer.state.withLock { $0.received += octets }
    }

    func channelInactive(context: ChannelHandlerContext) {
      peer.state.withLock { $0.isClosed = true }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      context.close(promise: nil)
    }
  }
}

/// Accepts connections as an HLR does, and says nothing by itself.
final class TCPServer: Sendable {
  private let accepted: Accepted
  private let channel: any Channel

  private final class Accepted: Sendable {
    let peers = Mutex<[TCPPeer]>([])
  }

  private init(_ channel: any Channel, _ accepted: Accepted) {
    self.channel = channel
    self.accepted = accepted
  }

  static func start(reads: Bool = true) async throws -> TCPServer {
    let accepted = Accepted()
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelOption(.socketOption(.so_rcvbuf), value: 1 << 17)
      .childChannelOption(.autoRead, value: reads)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let peer = try TCPPeer.taking(channel)
          accepted.peers.withLock { $0.append(peer) }
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    return TCPServer(channel, accepted)
  }

  var port: Int { channel.localAddress?.port ?? 0 }
  var peers: [TCPPeer] { accepted.peers.withLock { $0 } }

  /// The peer that has come as the `number`th, from 0 on.
  func peer(_ number: Int = 0) async throws -> TCPPeer {
    try await eventually("connection \(number)") { self.peers.count > number }
    return peers[number]
  }

  func stop() async { try? await channel.close().get() }
}

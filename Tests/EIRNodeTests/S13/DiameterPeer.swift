import NIOCore
import NIOPosix
import Simulation
import Synchronization

/// A network element at the other end of a TCP connection, which knows nothing of the product.
final class DiameterPeer: Sendable {
  private final class Recorder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let peer: DiameterPeer.Inbox

    init(_ peer: DiameterPeer.Inbox) { self.peer = peer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let bytes = Array(unwrapInboundIn(data).readableBytesView)
      peer.bytes.withLock { $0 += bytes }
      peer.transcript.withLock { $0 += bytes }
    }

    func channelInactive(context: ChannelHandlerContext) { peer.isClosed.withLock { $0 = true } }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      context.close(promise: nil)
    }
  }

  fileprivate final class Inbox: Sendable {
    let bytes = Mutex<[UInt8]>([])
    /// Also what has been received since.
    let transcript = Mutex<[UInt8]>([])
    let isClosed = Mutex(false)
  }

  struct Gone: Error {}

  private let channel: any Channel
  private let inbox: Inbox

  private init(_ channel: any Channel, _ inbox: Inbox) {
    self.channel = channel
    self.inbox = inbox
  }

  /// - Parameter address: `127.0.0.1:3868`.
  static func connect(to address: String) async throws -> DiameterPeer {
    let parts = address.split(separator: ":")
    let inbox = Inbox()
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.socketOption(.tcp_nodelay), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Recorder(inbox))
        }
      }.connect(host: String(parts[0]), port: Int(parts[1]) ?? 0).get()
    return DiameterPeer(channel, inbox)
  }

  /// A peer that is let in.
  static func open(
    to address: String, host: String = "mme1.example.org"
  ) async throws -> DiameterPeer {
    let peer = try await connect(to: address)
    let answer = try await peer.ask(DiameterBytes.capabilities(host: host))
    guard answer.resultCode == 2001 else { throw Gone() }
    return peer
  }

  func send(_ bytes: [UInt8]) async throws {
    try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
  }

  /// Every whole message that has come on this connection.
  var transcript: [[UInt8]] { inbox.transcript.withLock { DiameterReading.split($0).messages } }

  var isClosed: Bool { inbox.isClosed.withLock { $0 } }

  /// The next whole message; throws where the connection ends before.
  func receive() async throws -> DiameterReading {
    var reading: DiameterReading?
    try await eventually("a message comes") {
      let next = inbox.bytes.withLock { bytes -> [UInt8]? in
        let (messages, _) = DiameterReading.split(bytes)
        guard let first = messages.first else { return nil }
        bytes.removeFirst(first.count)
        return first
      }
      if let next {
        reading = DiameterReading(next)
        return true
      }
      return isClosed
    }
    guard let reading else { throw Gone() }
    return reading
  }

  /// The messages that have come, as many as are wanted.
  func receive(_ count: Int) async throws -> [DiameterReading] {
    try await eventually("\(count) messages come") {
      inbox.bytes.withLock { DiameterReading.split($0).messages.count } >= count || isClosed
    }
    return try inbox.bytes.withLock { bytes in
      let (messages, _) = DiameterReading.split(bytes)
      bytes.removeFirst(messages.prefix(count).reduce(0) { $0 + $1.count })
      return try messages.prefix(count).map { message in
        guard let reading = DiameterReading(message) else { throw Gone() }
        return reading
      }
    }
  }

  func ask(_ bytes: [UInt8]) async throws -> DiameterReading {
    try await send(bytes)
    return try await receive()
  }

  /// The other side has ended the connection, and said no more.
  func ended() async throws -> Bool {
    try await eventually("the connection ends") { isClosed }
    return inbox.bytes.withLock { $0.isEmpty }
  }

  /// From now on nothing is read.
  func stopReading() async throws {
    try await channel.setOption(.autoRead, value: false).get()
  }

  func close() async throws {
    // It may be closed already.
    _ = try? await channel.close().get()
  }
}

import Foundation
import NIOCore
import NIOPosix
import Simulation

/// What a listener costs that only sends back what it gets, for `Scripts/bench s13`; serves until
/// it is ended.
enum EchoServer {
  private final class Echo: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      context.write(data, promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }
  }

  static func serve(port: Int) async throws {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Echo())
        }
      }.bind(host: "127.0.0.1", port: port).get()
    let line = "listening on 127.0.0.1:\(channel.localAddress?.port ?? 0) \n"
    FileHandle.standardOutput.write(Data(line.utf8))
    while !Task.isCancelled { try await pace(milliseconds: 60_000) }
  }
}

import NIOCore
import NIOPosix
import Simulation
import Synchronization

/// Sends many requests on one Diameter connection without waiting for the answers between.
final class DiameterBurst: ChannelInboundHandler, Sendable {
  typealias InboundIn = ByteBuffer

  private struct State {
    /// Not yet a whole message.
    var rest: [UInt8] = []
    var messages: [[UInt8]] = []
    var isClosed = false
  }

  private let state = Mutex(State())

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data).readableBytesView
    state.withLock { state in
      let (messages, rest) = DiameterReading.split(state.rest + bytes)
      state.messages += messages
      state.rest = rest
    }
  }

  func channelInactive(context: ChannelHandlerContext) { state.withLock { $0.isClosed = true } }

  /// The answers in the order of the requests, which have the numbers from 0 on.
  ///
  /// - Parameter address: `127.0.0.1:3868`.
  static func ask(_ requests: [[UInt8]], at address: String) async throws -> [DiameterReading] {
    let parts = address.split(separator: ":")
    let burst = DiameterBurst()
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelInitializer { $0.pipeline.addHandler(burst) }
      .connect(host: String(parts[0]), port: Int(parts[1]) ?? 0).get()
    let all = DiameterBytes.capabilities(number: .max) + requests.flatMap(\.self)
    try await channel.writeAndFlush(ByteBuffer(bytes: all)).get()
    try await eventually("\(requests.count) answers") {
      burst.state.withLock { $0.messages.count > requests.count || $0.isClosed }
    }
    try await channel.close().get()
    let readings = burst.state.withLock(\.messages).compactMap { DiameterReading($0) }
    return readings.filter { $0.command == 324 }.sorted { $0.hopByHop < $1.hopByHop }
  }
}

extension DiameterReading {
  /// The answer's word, where all that says it is there and nothing else. TS 29.272, 7.2.20.
  var word: String? {
    switch (resultCode, experimentalCode, equipmentStatus) {
    case (2001, nil, 0): "white"
    case (2001, nil, 1): "black"
    case (2001, nil, 2): "grey"
    case (nil, 5422, nil): "unknown"
    default: nil
    }
  }
}

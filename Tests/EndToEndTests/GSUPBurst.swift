import NIOCore
import NIOPosix
import Simulation
import Synchronization

/// Check-IMEI requests on one connection, as OsmoMSC writes them, without waiting between.
final class GSUPBurst: ChannelInboundHandler, Sendable {
  typealias InboundIn = ByteBuffer

  private struct State {
    var bytes: [UInt8] = []
    var isClosed = false
  }

  private let state = Mutex(State())

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data).readableBytesView
    state.withLock { $0.bytes += bytes }
  }

  func channelInactive(context: ChannelHandlerContext) { state.withLock { $0.isClosed = true } }

  /// Stands for an osmo-hlr that has nothing to say: the node only needs it to be there.
  static func silentHLR() async throws -> any Channel {
    try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0).get()
  }

  /// Whether each device may be used, in the order of the questions.
  ///
  /// - Parameters:
  ///   - devices: 14 digits, with a subscriber of 15 digits.
  ///   - address: `127.0.0.1:4222`.
  static func ask(
    _ devices: [(imei: String, imsi: String)], at address: String
  ) async throws -> [Bool] {
    let parts = address.split(separator: ":")
    let burst = GSUPBurst()
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelInitializer { $0.pipeline.addHandler(burst) }
      .connect(host: String(parts[0]), port: Int(parts[1]) ?? 0).get()
    let all = devices.flatMap { request($0.imei, $0.imsi) }
    try await channel.writeAndFlush(ByteBuffer(bytes: all)).get()
    try await eventually("\(devices.count) answers") {
      burst.state.withLock { $0.bytes.count >= devices.count * answerBytes || $0.isClosed }
    }
    try await channel.close().get()
    let bytes = burst.state.withLock(\.bytes)
    return stride(from: 0, to: bytes.count, by: answerBytes).map { start in
      // Check-IMEI result, and its element IMEI-RESULT (0x51) with 0 for ACK.
      bytes[start + 4] == 0x32 && bytes[start + 15] == 0x51 && bytes[start + 17] == 0
    }
  }

  /// IPA's header and extension, the type, the IMSI (10 octets) and the result (3).
  private static let answerBytes = 18

  private static func request(_ imei: String, _ imsi: String) -> [UInt8] {
    let message =
      [0x05, 0x30, 0x01, 0x08] + coded(imsi) + [0x50, 0x08, 0x07] + coded(imei)
    return [0, UInt8(message.count), 0xEE] + message
  }

  /// Two digits an octet, the first in the low half; an odd end is filled with F.
  private static func coded(_ digits: String) -> [UInt8] {
    let halves = digits.utf8.map { $0 - 0x30 } + (digits.utf8.count % 2 == 0 ? [] : [0xF])
    return stride(from: 0, to: halves.count, by: 2).map { halves[$0] | halves[$0 + 1] << 4 }
  }
}

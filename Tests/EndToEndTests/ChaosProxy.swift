import Foundation
import NIOCore
import NIOPosix
import Simulation
import Synchronization

/// Stands between a node and its CEIR and passes bytes on, until it is told to cut or to stall.
final class ChaosProxy: Sendable {
  enum Fault: CaseIterable {
    /// Every connection is cut at once, in the middle of whatever it carries.
    case cut
    /// Nothing passes, and nothing is said about it.
    case stall
    /// Each piece waits a little.
    case delay
    case none
  }

  private let listener: any Channel
  private let state: Mutex<(fault: Fault, open: [ObjectIdentifier: any Channel])>

  var port: Int { listener.localAddress?.port ?? 0 }

  private init(listener: any Channel) {
    self.listener = listener
    state = Mutex((.none, [:]))
  }

  static func start(to port: Int) async throws -> ChaosProxy {
    let made = Mutex<ChaosProxy?>(nil)
    let group = MultiThreadedEventLoopGroup.singleton
    let listener = try await ServerBootstrap(group: group)
      .childChannelOption(.autoRead, value: false)
      .childChannelInitializer { inbound in
        ClientBootstrap(group: inbound.eventLoop).connect(host: "127.0.0.1", port: port)
          .flatMapThrowing { outbound in
            guard let proxy = made.withLock({ $0 }) else { throw ChannelError.operationUnsupported }
            try proxy.join(inbound, outbound)
          }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let proxy = ChaosProxy(listener: listener)
    made.withLock { $0 = proxy }
    return proxy
  }

  func set(_ fault: Fault) {
    let open = state.withLock { state in
      state.fault = fault
      return Array(state.open.values)
    }
    if fault == .cut { for channel in open { channel.close(promise: nil) } }
  }

  func stop() async throws {
    set(.cut)
    try await listener.close()
  }

  fileprivate var fault: Fault { state.withLock { $0.fault } }

  private func join(_ inbound: any Channel, _ outbound: any Channel) throws {
    try inbound.pipeline.syncOperations.addHandler(Passing(to: outbound, of: self))
    try outbound.pipeline.syncOperations.addHandler(Passing(to: inbound, of: self))
    state.withLock { $0.open[ObjectIdentifier(inbound)] = inbound }
    inbound.closeFuture.whenComplete { [weak self] _ in
      outbound.close(promise: nil)
      _ = self?.state.withLock { $0.open.removeValue(forKey: ObjectIdentifier(inbound)) }
    }
    outbound.closeFuture.whenComplete { _ in inbound.close(promise: nil) }
    _ = inbound.setOption(.autoRead, value: true)
  }
}

private final class Passing: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let other: any Channel
  private let proxy: ChaosProxy

  init(to other: any Channel, of proxy: ChaosProxy) {
    self.other = other
    self.proxy = proxy
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let piece = unwrapInboundIn(data)
    switch proxy.fault {
    case .none: other.writeAndFlush(piece, promise: nil)
    case .cut: context.close(promise: nil)
    case .stall: return
    case .delay:
      other.eventLoop.scheduleTask(in: .milliseconds(20)) { [other] in
        other.writeAndFlush(piece, promise: nil)
      }
    }
  }
}

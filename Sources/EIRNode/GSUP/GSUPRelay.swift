package import CheckServer
package import DeviceLists
package import EquipmentCheck
package import NIOCore
import NIOPosix

/// Where Osmocom's GSUP is spoken and to whom it is passed on.
package struct GSUPSettings: Hashable, Sendable {
  package var listen: SocketAddress
  package var hlr: SocketAddress
  /// What a device gets whose answer is unknown.
  package var unknown = GSUPUnknown.allow

  package init(listen: SocketAddress, hlr: SocketAddress) {
    self.listen = listen
    self.hlr = hlr
  }
}

/// Stands between OsmoMSC and osmo-hlr: answers Check-IMEI and passes on everything else, octet for
/// octet, both ways.
///
/// Each client has a connection of its own to the HLR, because osmo-hlr knows its clients by the
/// names that they give when they connect. So the two end together: a client whose HLR is away sees
/// what it would see without us, and connects again.
package struct GSUPRelay: Sendable {
  /// What decides: called on the event loop, so it must not wait.
  package typealias Decide = @Sendable (CheckQuery, any EventLoop) -> Judge.Reply<CheckAnswer>

  let settings: GSUPSettings
  let limits: GSUPLimits
  let health: GSUPHealth
  let decide: Decide
  let clients = GSUPClients()

  package init(
    settings: GSUPSettings, limits: GSUPLimits = GSUPLimits(), health: GSUPHealth,
    decide: @escaping Decide
  ) {
    self.settings = settings
    self.limits = limits
    self.health = health
    self.decide = decide
  }

  package func start(
    group: any EventLoopGroup
  ) async throws(CheckServerError) -> StreamListener {
    try await StreamListener.start(
      host: settings.listen.host, port: settings.listen.port, group: group, limits: limits.stream
    ) { channel in
      StreamListener.Handlers([GSUPClientHandler(GSUPConnection(self, on: channel.eventLoop))])
    }
  }

  /// On the client's event loop, so that the two can call each other.
  func connect(_ connection: NIOLoopBound<GSUPConnection>) -> EventLoopFuture<any Channel> {
    let high = limits.stream.unwrittenBytes
    return ClientBootstrap(group: connection.eventLoop)
      .connectTimeout(limits.connect)
      .channelOption(.socketOption(.tcp_nodelay), value: 1)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelOption(.maxMessagesPerRead, value: 1)
      .channelOption(.writeBufferWaterMark, value: .init(low: high / 4, high: high))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(GSUPHLRHandler(connection.value))
        }
      }
      .connect(host: settings.hlr.host, port: settings.hlr.port)
  }
}

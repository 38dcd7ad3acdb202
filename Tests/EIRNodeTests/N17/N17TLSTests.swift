import CheckServer
import DeviceLists
import Foundation
import Logging
import NIOCore
import NIOPosix
import Simulation
import Testing

@testable import EIRNode

/// What strangers can hold open on a port with TLS.
@Suite(.serialized, .enabled(if: Tool.isInstalled("openssl")))
struct N17TLSTests {
  @Test func `who never agrees on TLS does not fill the log`() async throws {
    let log = LogLines()
    let count = SignallingTLS.mostRefusalLines + 20
    try await silent(count, limits: .init(), log: log) { server, channels in
      for channel in channels {
        // Speaks in the clear.
        try? await channel.writeAndFlush(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n")).get()
        try await channel.closeFuture.get()
      }
      try await eventually("no connection is left") { server.openConnections == 0 }
    }
    #expect(log.lines.count == SignallingTLS.mostRefusalLines, "\(log.lines)")
  }

  /// A listener with TLS, and connections to it that say nothing.
  private func silent(
    _ count: Int, limits: SignallingTLS.Limits, log: LogLines = LogLines(),
    _ body: (CheckServer, [any Channel]) async throws -> Void
  ) async throws {
    let scratch = try Scratch()
    let certificates = Certificates(directory: scratch.path)
    try await certificates.makeAuthority("ca")
    let files = ListenerCertificates(
      certificate: scratch.path + "/ca.crt", key: scratch.path + "/ca.key")
    let tls = try SignallingTLS(
      files, for: "n17", texts: FileWatch.read(SignallingTLS.paths(files)), limits: limits,
      logger: Logger(label: "test") { _ in log.handler })
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let server = try await CheckServer.start(
      host: "127.0.0.1", port: 0, group: group, security: tls.security,
      responder: N17Responder { _ in .unknown })
    var channels: [any Channel] = []
    for _ in 0..<count {
      channels.append(
        try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: server.port).get())
    }
    try await body(server, channels)
    for channel in channels { channel.close(promise: nil) }
    await server.shutdown()
    try await group.shutdownGracefully()
  }

  @Test func `who says nothing is closed after the time for a handshake`() async throws {
    let limits = SignallingTLS.Limits(handshake: .milliseconds(50))
    try await silent(2, limits: limits) { server, channels in
      for channel in channels { try await channel.closeFuture.get() }
      try await eventually("no connection is left") { server.openConnections == 0 }
    }
  }

  @Test func `only so many are in a handshake, and the place of one that goes is free`()
    async throws
  {
    let limits = SignallingTLS.Limits(handshake: .hours(1), handshakes: 2)
    try await silent(4, limits: limits) { server, channels in
      try await eventually("two connections are left") {
        channels.count { $0.isActive } == 2 && server.openConnections == 2
      }
      for channel in channels { channel.close(promise: nil) }
      try await eventually("no connection is left") { server.openConnections == 0 }
      let group = MultiThreadedEventLoopGroup.singleton
      let next = try await ClientBootstrap(group: group)
        .connect(host: "127.0.0.1", port: server.port).get()
      try await eventually("it is taken") { server.openConnections == 1 }
      #expect(next.isActive)
      next.close(promise: nil)
    }
  }
}

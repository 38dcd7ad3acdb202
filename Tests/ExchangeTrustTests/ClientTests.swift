import AsyncHTTPClient
import DeviceLists
import ExchangeTrust
import NIOCore
import NIOPosix
import NIOSSL
import Simulation
import Synchronization
import Testing

/// A node's client against listeners of every kind.
@Suite(.serialized) struct ClientTests {
  /// A client of a node with its own folder.
  private struct Peer {
    let folder: TemporaryFolder
    let files: CredentialFiles
    let trusted: TrustedFiles
    let client: PeerClient

    init(
      _ credential: Credential, _ listener: ExchangeListener,
      expecting expected: AcceptedPeer = .ceir, connections: PeerConnections? = nil
    ) throws {
      folder = try TemporaryFolder()
      files = CredentialFiles(directory: folder.path, name: "node")
      try files.create(credential, root: listener.sample.authority.root)
      trusted = try TrustedFiles(files)
      client = PeerClient(
        files: trusted, expecting: expected, connections: connections, group: listener.group)
    }

    func who(_ port: Int, seconds: Int64 = 30) async throws -> String {
      let response = try await client.execute(
        HTTPClientRequest(url: "https://127.0.0.1:\(port)/who"),
        deadline: .now() + .seconds(seconds))
      return String(buffer: try await response.body.collect(upTo: 1_000))
    }
  }

  @Test func `a node asks the CEIR over one connection`() async throws {
    let sample = try SampleAuthority()
    try await ExchangeListener.run(sample) { listener in
      let node = try sample.issue(Sample.node())
      let peer = try Peer(node, listener)
      for _ in 0..<3 {
        #expect(
          try await peer.who(listener.port)
            == "urn:openceir:XA:node:alfa:eir-1 \(node.leaf.serial)")
      }
      #expect(listener.connections.peers.count == 1)
      try await peer.client.shutdown()
    }
  }

  @Test func `nothing is asked of a server that is not the one expected`() async throws {
    let (sample, stranger) = (try SampleAuthority(), try SampleAuthority())
    let past = Sample.now.adding(seconds: -2 * 86_400)
    let servers: [(String, Credential, TrustError.Code)] = [
      ("a node", try sample.issue(Sample.node("beta", "eir-1")), .wrongRole),
      ("the signer", try sample.issue(.signer), .handshake),
      ("a stranger", try stranger.issue(.ceir), .handshake),
      ("self-signed", try selfSigned("urn:openceir:XA:ceir"), .handshake),
      (
        "self-signed authority", try selfSigned("urn:openceir:XA:ceir", isAuthority: true),
        .handshake
      ),
      ("another registry", try SampleAuthority("XB").issue(.ceir), .handshake),
      ("expired", try SampleAuthority.same(sample, .ceir, asOf: past), .handshake),
      (
        "a child of the CEIR", try signed(by: sample.issue(.ceir), "urn:openceir:XA:ceir"),
        .handshake
      ),
    ]
    for (what, server, code) in servers {
      try await ExchangeListener.run(sample, server: server) { listener in
        let peer = try Peer(try sample.issue(Sample.node()), listener)
        let error = await #expect(throws: TrustError.self, "\(what)") {
          try await peer.who(listener.port, seconds: 5)
        }
        #expect(error?.code == code, "\(what)")
        #expect(listener.requestCount == 0, "\(what)")
        try await peer.client.shutdown()
      }
    }
  }

  @Test func `the CEIR asks exactly the node that it means, and none whose certificate is revoked`()
    async throws
  {
    let sample = try SampleAuthority()
    let server = try sample.issue(Sample.node("beta", "eir-1"))
    try await ExchangeListener.run(sample, server: server) { listener in
      let node = try sample.issue(Sample.node())
      let right = try Peer(
        node, listener, expecting: .exactly(try Sample.node("beta", "eir-1")))
      #expect(try await right.who(listener.port).hasPrefix("urn:openceir:XA:node:alfa:eir-1"))
      try await right.client.shutdown()
      let wrong = try Peer(
        node, listener, expecting: .exactly(try Sample.node("beta", "eir-2")))
      let error = await #expect(throws: TrustError.self) {
        try await wrong.who(listener.port, seconds: 5)
      }
      #expect(error?.code == .wrongRole)
      try await wrong.client.shutdown()
      let known = PeerConnections()
      known.revoke([server.leaf.serial])
      let revoking = try Peer(node, listener, expecting: .anyNode, connections: known)
      let refusal = await #expect(throws: TrustError.self) {
        try await revoking.who(listener.port, seconds: 5)
      }
      #expect(refusal?.code == .revoked)
      try await revoking.client.shutdown()
      #expect(listener.requestCount == 1)
    }
  }

  @Test func `a connection that ends while it is proved is not lent to anybody`() async throws {
    let sample = try SampleAuthority()
    let node = try sample.issue(Sample.node())
    try await ExchangeListener.run(sample) { listener in
      listener.connections.revoke([node.leaf.serial])
      let peer = try Peer(node, listener)
      for _ in 0..<30 {
        await #expect(throws: (any Error).self) { try await peer.who(listener.port, seconds: 1) }
      }
      // It waits for every connection that is lent.
      let stopping = Task { try await peer.client.shutdown() }
      let isOver = Mutex(false)
      Task {
        _ = await stopping.result
        isOver.withLock { $0 = true }
      }
      try await eventually("the end of the client") { isOver.withLock { $0 } }
    }
  }

  @Test func `a node renews while a request is open, and the next uses the new certificate`()
    async throws
  {
    let sample = try SampleAuthority()
    try await ExchangeListener.run(sample) { listener in
      let (old, new) = (try sample.issue(Sample.node()), try sample.issue(Sample.node()))
      let peer = try Peer(old, listener)
      let waiting = Task {
        try await peer.client.execute(
          HTTPClientRequest(url: "https://127.0.0.1:\(listener.port)/wait"),
          deadline: .now() + .seconds(30))
      }
      try await eventually("the request") { listener.requestCount == 1 }
      #expect(try peer.trusted.reload() == false)
      try peer.files.replace(with: new)
      #expect(try peer.trusted.reload())
      #expect(peer.trusted.current.generation == 2)
      #expect(try await peer.who(listener.port).hasSuffix("\(new.leaf.serial)"))
      #expect(Set(listener.connections.peers.map(\.serial)) == [old.leaf.serial, new.leaf.serial])
      listener.connections.close(serial: old.leaf.serial)
      await #expect(throws: (any Error).self) { try await waiting.value }
      try await peer.client.shutdown()
    }
  }

  @Test func `the server's files are taken up while connections go on, and bad ones are not`()
    async throws
  {
    let sample = try SampleAuthority()
    try await ExchangeListener.run(sample) { listener in
      let peer = try Peer(try sample.issue(Sample.node()), listener)
      _ = try await peer.who(listener.port)
      let watching = Task { await listener.files.watch { _ in } }
      let renewed = try sample.issue(.ceir)
      try listener.files.files.replace(with: renewed)
      try await eventually("the new certificate") { listener.files.current.generation == 2 }
      watching.cancel()
      _ = try await peer.who(listener.port)
      #expect(listener.connections.count == 1)
      let shown = try await Tool.run(
        "/bin/sh",
        [
          "-c",
          "openssl s_client -connect localhost:\(listener.port) </dev/null 2>/dev/null "
            + "| openssl x509 -noout -serial",
        ], in: listener.folder)
      #expect(
        shown.output.lowercased() == "serial=\(renewed.leaf.serial)\n", "\(shown.output)")
      try listener.folder.write("ceir.pem", "nonsense")
      let error = #expect(throws: TrustError.self) { try listener.files.reload() }
      #expect(error?.code == .unreadable)
      _ = try await peer.who(listener.port)
      try listener.files.files.replace(with: sample.issue(Sample.node()))
      #expect(
        #expect(throws: TrustError.self) { try listener.files.reload() }?.code == .wrongRole)
      try await peer.client.shutdown()
    }
  }

  @Test func `a connection that fails is not tried again unasked`() async throws {
    let sample = try SampleAuthority()
    try await ExchangeListener.run(sample) { listener in
      let count = Mutex(0)
      let rude = try await ServerBootstrap(group: listener.group)
        .childChannelInitializer { channel in
          count.withLock { $0 += 1 }
          return channel.close()
        }.bind(host: "127.0.0.1", port: 0).get()
      let peer = try Peer(try sample.issue(Sample.node()), listener)
      for asked in 1...3 {
        await #expect(throws: (any Error).self) {
          try await peer.who(#require(rude.localAddress?.port))
        }
        #expect(count.withLock { $0 } == asked)
      }
      try await peer.client.shutdown()
      try await rude.close()
    }
  }

  @Test func `whoever is refused hears so, however late, and can end`() async throws {
    let sample = try SampleAuthority()
    try await ExchangeListener.run(sample) { listener in
      // The listener takes nodes alone; in TLS 1.3 it says so after the client's handshake.
      let refused = try sample.issue(.ceir)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<60 {
          group.addTask {
            let peer = try Peer(refused, listener)
            await #expect(throws: (any Error).self) { try await peer.who(listener.port) }
            try await peer.client.shutdown()
          }
        }
        try await group.waitForAll()
      }
      #expect(listener.requestCount == 0)
    }
  }

  @Test func `a port without TLS is named as such`() async throws {
    let sample = try SampleAuthority()
    try await ExchangeListener.run(sample) { listener in
      let plain = try await ServerBootstrap(group: listener.group)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(PlainAnswer())
          }
        }
        .bind(host: "127.0.0.1", port: 0).get()
      let port = try #require(plain.localAddress?.port)
      let peer = try Peer(try sample.issue(Sample.node()), listener)
      let error = await #expect(throws: TrustError.self) { try await peer.who(port) }
      #expect(error?.description.contains("no TLS") == true, "\(String(describing: error))")
      try await peer.client.shutdown()
      try await plain.close()
    }
  }

  @Test func `plain HTTP is not spoken`() async throws {
    let sample = try SampleAuthority()
    try await ExchangeListener.run(sample) { listener in
      let peer = try Peer(try sample.issue(Sample.node()), listener)
      await #expect(throws: TrustError.self) {
        try await peer.client.execute(
          HTTPClientRequest(url: "http://127.0.0.1:\(listener.port)/who"),
          deadline: .now() + .seconds(5))
      }
      try await peer.client.shutdown()
    }
  }
}

/// A web server without TLS, to which a handshake is a bad request.
private final class PlainAnswer: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let answer = ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n")
    context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
  }
}

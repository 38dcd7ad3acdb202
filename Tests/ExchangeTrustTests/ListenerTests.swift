import CheckServer
import DeviceLists
import ExchangeTrust
import Foundation
import NIOCore
import NIOPosix
import Simulation
import Testing

/// curl and openssl, which know nothing of us, as peers.
@Suite(.serialized) struct ListenerTests {
  static let versions = ["--http1.1", "--http2"]

  @Test(arguments: versions)
  func `both listeners know the peer over HTTP 1 and 2`(version: String) async throws {
    let sample = try SampleAuthority()
    try await ExchangeListener.run(sample) { listener in
      let peer = try CurlPeer(sample.issue(Sample.node()), trusting: sample)
      for port in [listener.port, listener.checkPort] {
        let answer = try await peer.get(
          "/who", port: port, version, more: ["-w", " %{http_version}"])
        #expect(answer.status == 0)
        #expect(answer.output == peer.who + (version == "--http2" ? " 2" : " 1.1"))
      }
      try await eventually("the end of the connections") { listener.connections.count == 0 }
    }
  }

  @Test func `who is not one of the registry's nodes is refused in the handshake`() async throws {
    let (sample, stranger) = (try SampleAuthority(), try SampleAuthority())
    let name = "urn:openceir:XA:node:alfa:eir-1"
    let node = try sample.issue(Sample.node())
    let past = Sample.now.adding(seconds: -2 * 86_400)
    let future = Sample.now.adding(seconds: 2 * 86_400)
    let refused: [(String, Credential)] = [
      ("a stranger", try stranger.issue(Sample.node())),
      ("self-signed", try selfSigned(name)),
      ("self-signed authority", try selfSigned(name, isAuthority: true)),
      ("another registry", try SampleAuthority("XB").issue(Sample.node())),
      ("expired", try SampleAuthority.same(sample, Sample.node(), asOf: past)),
      ("not yet valid", try SampleAuthority.same(sample, Sample.node(), asOf: future)),
      ("the signer", try sample.issue(.signer)),
      ("the CEIR itself", try sample.issue(.ceir)),
      ("a child of a node", try signed(by: node, "urn:openceir:XA:node:beta:eir-1")),
      ("no chain", try Credential(chain: [node.leaf], key: node.key)),
    ]
    try await ExchangeListener.run(sample) { listener in
      for (what, credential) in refused {
        let peer = try CurlPeer(credential, trusting: sample)
        for port in [listener.port, listener.checkPort] {
          let answer = try await peer.get("/who", port: port)
          #expect([35, 55, 56].contains(answer.status), "\(what): \(answer.output)")
          #expect(!answer.output.contains("urn:"), "\(what)")
        }
      }
      let folder = try TemporaryFolder()
      for port in [listener.port, listener.checkPort] {
        let bare = try await Tool.run(
          "/usr/bin/curl", ["-sS", "-k", "https://localhost:\(port)/who"], in: folder)
        #expect([35, 55, 56].contains(bare.status), "without a certificate: \(bare.output)")
        let plain = try await Tool.run(
          "/usr/bin/curl", ["-sS", "http://localhost:\(port)/who"], in: folder)
        #expect(plain.status != 0)
      }
      #expect(listener.requestCount == 0)
      try await eventually("the end of the connections") { listener.connections.count == 0 }
    }
  }

  @Test(arguments: versions)
  func `a revocation closes what is open, and the next handshake is refused`(version: String)
    async throws
  {
    let sample = try SampleAuthority()
    try await ExchangeListener.run(sample) { listener in
      let revoked = try CurlPeer(sample.issue(Sample.node()), trusting: sample)
      let other = try CurlPeer(sample.issue(Sample.node()), trusting: sample)
      for port in [listener.port, listener.checkPort] {
        listener.connections.revoke([])
        try await eventually("the end of the former") { listener.connections.count == 0 }
        let before = listener.requestCount
        async let waiting = revoked.get("/wait", port: port, version)
        try await eventually("the request") { listener.requestCount == before + 1 }
        #expect(listener.connections.revoke([revoked.credential.leaf.serial]) == 1)
        let answer = try await waiting
        #expect(![0, 28].contains(answer.status), "\(answer.output)")
        let again = try await revoked.get("/who", port: port, version)
        #expect(again.status != 0 && !again.output.contains("urn:"))
        #expect(try await other.get("/who", port: port, version).output == other.who)
      }
    }
  }

  @Test func `a session is never resumed without its certificate`() async throws {
    let sample = try SampleAuthority()
    try await ExchangeListener.run(sample) { listener in
      let peer = try CurlPeer(sample.issue(Sample.node()), trusting: sample)
      for version in ["-tls1_2", "-tls1_3"] {
        let session = "\(peer.folder.path)/session\(version)"
        for use in ["-sess_out", "-sess_in"] {
          let shown = try await Tool.run(
            "/bin/sh",
            [
              "-c",
              "printf 'GET /who HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' | "
                + "openssl s_client -ign_eof -connect localhost:\(listener.port) \(version) "
                + "-cert node.pem -cert_chain node.pem -key node.key -CAfile root.pem \(use) "
                + session,
            ], in: peer.folder)
          #expect(shown.output.contains(peer.who), "\(shown.output)")
          #expect(shown.output.contains("New, TLSv1"))
          #expect(!shown.output.contains("Reused, TLSv1"))
        }
      }
    }
  }

  @Test func `who is stuck in the handshake disturbs nobody and is closed`() async throws {
    let sample = try SampleAuthority()
    var limits = ConnectionLimits()
    limits.handshake = .seconds(2)
    try await ExchangeListener.run(sample, limits: limits) { listener in
      let peer = try CurlPeer(sample.issue(Sample.node()), trusting: sample)
      var stuck: [any Channel] = []
      for port in [listener.port, listener.checkPort] {
        stuck.append(
          try await ClientBootstrap(group: listener.group).connect(
            host: "127.0.0.1", port: port
          ).get())
      }
      for port in [listener.port, listener.checkPort] {
        #expect(try await peer.get("/who", port: port).output == peer.who)
      }
      for channel in stuck { try await channel.closeFuture.get() }
      try await eventually("the end of the connections") { listener.connections.count == 0 }
    }
  }

  @Test(arguments: [true, false])
  func `handshakes beyond a limit are closed, those that are done count no more`(
    ofOneAddress: Bool
  ) async throws {
    let sample = try SampleAuthority()
    var limits = ConnectionLimits()
    if ofOneAddress { limits.handshakesPerAddress = 1 } else { limits.handshakes = 1 }
    try await ExchangeListener.run(sample, limits: limits) { listener in
      let peer = try CurlPeer(sample.issue(Sample.node()), trusting: sample)
      let stuck = try await ClientBootstrap(group: listener.group).connect(
        host: "127.0.0.1", port: listener.port
      ).get()
      try await eventually("the first connection") { listener.connections.count == 1 }
      #expect(try await peer.get("/who", port: listener.port).status != 0)
      #expect(try await peer.get("/who", port: listener.checkPort).status != 0)
      // That of one address leaves the others theirs.
      let elsewhere = try await peer.get(
        "/who", port: listener.port, more: ["--interface", "127.0.0.2"])
      #expect((elsewhere.output == peer.who) == ofOneAddress)
      try await stuck.close()
      try await eventually("its end") { listener.connections.count == 0 }
      for _ in 0..<3 {
        #expect(try await peer.get("/who", port: listener.port).output == peer.who)
      }
    }
  }

  @Test func `connections of one peer are limited, and leave the others theirs`() async throws {
    let sample = try SampleAuthority()
    var limits = ConnectionLimits()
    limits.connectionsPerPeer = 1
    limits.connections = 2
    try await ExchangeListener.run(sample, limits: limits) { listener in
      let alfa = try CurlPeer(sample.issue(Sample.node("alfa", "eir-1")), trusting: sample)
      let beta = try CurlPeer(sample.issue(Sample.node("beta", "eir-1")), trusting: sample)
      let gama = try CurlPeer(sample.issue(Sample.node("gama", "eir-1")), trusting: sample)
      async let first = alfa.get("/wait", port: listener.port)
      try await eventually("the request") { listener.requestCount == 1 }
      #expect(try await alfa.get("/who", port: listener.port).status != 0)
      #expect(try await beta.get("/who", port: listener.port).output == beta.who)
      async let second = beta.get("/wait", port: listener.checkPort)
      try await eventually("the request") { listener.requestCount == 3 }
      #expect(try await gama.get("/who", port: listener.port).status != 0)
      listener.connections.close(serial: alfa.credential.leaf.serial)
      listener.connections.close(serial: beta.credential.leaf.serial)
      _ = try await (first, second)
      #expect(try await gama.get("/who", port: listener.port).output == gama.who)
    }
  }

  @Test func `connections of a certificate that has ended are closed`() async throws {
    let sample = try SampleAuthority()
    try await ExchangeListener.run(sample) { listener in
      let peer = try CurlPeer(sample.issue(Sample.node(), days: 1), trusting: sample)
      async let waiting = peer.get("/wait", port: listener.port)
      try await eventually("the request") { listener.requestCount == 1 }
      let end = peer.credential.leaf.validUntil
      #expect(listener.connections.closeExpired(asOf: end) == 0)
      #expect(listener.connections.closeExpired(asOf: end.adding(seconds: 1)) == 1)
      #expect(try await waiting.status != 0)
    }
  }

  @Test func `an HTTP 1 header list too long is refused and the connection ends cleanly`()
    async throws
  {
    let sample = try SampleAuthority()
    try await ExchangeListener.run(sample) { listener in
      let peer = try CurlPeer(sample.issue(Sample.node()), trusting: sample)
      let long = ["-H", "X-Long: \(String(repeating: "a", count: 20_000))", "-w", "%{http_code}"]
      for version in Self.versions {
        let check = try await peer.get("/who", port: listener.checkPort, version, more: long)
        #expect(check.status == 0 && check.output.hasSuffix("431"), "\(check.output)")
      }
      let exchange = try await peer.get("/who", port: listener.port, "--http1.1", more: long)
      #expect(exchange.output.hasSuffix("400"), "\(exchange.output)")
      #expect(listener.requestCount == 0)
    }
  }
}

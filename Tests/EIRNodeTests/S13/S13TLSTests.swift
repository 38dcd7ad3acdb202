import Foundation
import Simulation
import Testing

/// S13 over TLS from the first byte on, where peers show certificates. RFC 6733, 13.1. Python is
/// the peer.
@Suite(.serialized, .enabled(if: Tool.isInstalled("openssl")))
struct S13TLSTests {
  private static let program = """
    import socket, ssl, sys
    port, authority, certificate, key = sys.argv[1:5]
    context = ssl.create_default_context(cafile=authority)
    context.check_hostname = False
    if certificate != "none":
        context.load_cert_chain(certificate, key)
    plain = socket.create_connection(("127.0.0.1", int(port)))
    with context.wrap_socket(plain) as peer:
        for message in sys.argv[5:]:
            peer.sendall(bytes.fromhex(message))
            print(peer.recv(65536).hex())
    """

  private static func ask(
    _ node: NodeProcess, in directory: String, showing name: String,
    _ messages: [[UInt8]] = [DiameterBytes.capabilities(), DiameterBytes.checkRequest()]
  ) async throws -> [DiameterReading] {
    let port = String(try #require(node.s13TLS?.split(separator: ":").last))
    let files =
      name == "none" ? ["none", "none"] : ["\(directory)/\(name).crt", "\(directory)/\(name).key"]
    let result = try await Program.run(
      "/usr/bin/python3",
      ["-c", program, port, "\(directory)/ca.crt"] + files + messages.map(Self.hexadecimal))
    return result.output.split(separator: "\n").compactMap { line in
      DiameterReading(
        stride(from: 0, to: line.count, by: 2).compactMap { start in
          UInt8(line.dropFirst(start).prefix(2), radix: 16)
        })
    }
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { String(format: "%02x", $0) }.joined()
  }

  @Test func `a peer is who its certificate says, and no other`() async throws {
    let scratch = try Scratch()
    let certificates = Certificates(directory: scratch.path)
    for authority in ["ca", "other"] { try await certificates.makeAuthority(authority) }
    for name in ["eir.example.org", "mme1.example.org", "mme2.example.org"] {
      try await certificates.issue(name, by: "ca")
    }
    try await certificates.issue("stranger", by: "other")
    let flags = [
      "--s13-tls-listen", "127.0.0.1:0",
      "--s13-tls-certificate", scratch.path + "/eir.example.org.crt",
      "--s13-tls-key", scratch.path + "/eir.example.org.key",
      "--s13-tls-client-ca", scratch.path + "/ca.crt",
    ]
    try await ProbeTests.withNode(flags) { node, _, _ in
      let answers = try await Self.ask(node, in: scratch.path, showing: "mme1.example.org")
      #expect(answers.map(\.resultCode) == [2001, 2001])
      #expect(answers.last?.equipmentStatus == 1)
      let others = try await Self.ask(
        node, in: scratch.path, showing: "mme2.example.org", [DiameterBytes.capabilities()])
      #expect(others.map(\.resultCode) == [3010])
      for name in ["none", "stranger"] {
        let refused = try await Self.ask(node, in: scratch.path, showing: name)
        #expect(refused.isEmpty)
      }
      // Whoever speaks without encryption hears nothing of Diameter.
      let plain = try await DiameterPeer.connect(to: try #require(node.s13TLS))
      try await plain.send(DiameterBytes.capabilities())
      _ = try await plain.ended()
      let again = try await Self.ask(node, in: scratch.path, showing: "mme1.example.org")
      #expect(again.last?.equipmentStatus == 1)
    }
  }

  @Test func `TLS without an authority for peers is refused at the start`() async throws {
    let scratch = try Scratch()
    let result = try await NodeProcess.eir(
      ["serve"] + NodeProcess.flags(scratch.path)
        + NodeProcess.registryFlags(scratch.path, "https://127.0.0.1:9")
        + ProbeTests.flags
        + [
          "--s13-tls-listen", "127.0.0.1:0", "--s13-tls-certificate", "a", "--s13-tls-key", "b",
        ])
    #expect(result.status == 2)
    #expect(result.errors.contains("s13.tls.clientCa"))
  }
}

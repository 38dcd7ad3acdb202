import Foundation
import Simulation
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// S13 over SCTP, which many kernels lack. TS 29.272, 7.1.5.
struct SCTPTests {
  /// Whether this machine's kernel has it.
  private static let hasSCTP: Bool = {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 132)
    if descriptor >= 0 { close(descriptor) }
    return descriptor >= 0
  }()

  private static let flags = [
    "--s13-sctp-listen", "127.0.0.1:0", "--s13-host", "eir.example.org", "--s13-realm",
    "example.org", "--s13-peers", "any",
  ]

  @Test(.enabled(if: !hasSCTP, "this kernel has SCTP"))
  func `without SCTP in the kernel the start is refused in one sentence`() async throws {
    let scratch = try Scratch()
    try TestAuthority.shared.writeNode(to: scratch.path + "/node.tls")
    let result = try await NodeProcess.eir(
      ["serve"] + NodeProcess.flags(scratch.path + "/node")
        + NodeProcess.registryFlags(scratch.path + "/node", "https://127.0.0.1:9")
        + ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"] + Self.flags)
    #expect(result.status == 1)
    #expect(result.errors.contains("this machine's kernel has no SCTP"))
    #expect(result.errors.contains("s13.listen"))
  }

  /// Python is the peer, since it has SCTP's sockets.
  @Test(.enabled(if: hasSCTP, "this kernel has no SCTP"))
  func `a peer over SCTP is answered`() async throws {
    try await ProbeTests.withNode(Self.flags) { node, _, _ in
      let program = """
        import socket, sys
        peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
        peer.connect(("127.0.0.1", int(sys.argv[1])))
        for message in sys.argv[2:]:
            peer.send(bytes.fromhex(message))
            print(peer.recv(65536).hex())
        """
      let port = String(try #require(node.s13SCTP).split(separator: ":").last ?? "")
      let messages = [DiameterBytes.capabilities(), DiameterBytes.checkRequest()]
      let result = try await Program.run(
        "/usr/bin/python3", ["-c", program, port] + messages.map(Self.hexadecimal))
      #expect(result.output.split(separator: "\n").last?.hasSuffix("00000001") == true)
    }
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { String(format: "%02x", $0) }.joined()
  }
}

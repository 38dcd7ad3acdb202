import EIRNode
import Foundation
import Simulation
import Testing

/// What `eir status` shows of a node besides its list.
@Suite(.serialized)
struct StatusServicesTests {
  @Test func `status shows mode, listeners, GSUP, what waits and how keys are`() async throws {
    let scratch = try Scratch()
    let node = try await NodeProcess.start(
      in: scratch.path + "/node", registry: "https://127.0.0.1:9",
      more: [
        "--mode", "grey", "--mode-rules", "imsi:00101=ask", "--shadow", "--override", "white",
        "--exchange-listen", "127.0.0.1:0", "--gsup-listen", "127.0.0.1:0",
        "--gsup-hlr", "127.0.0.1:9", "--events-url", "http://127.0.0.1:9/",
        "--s13-listen", "127.0.0.1:0", "--s13-host", "eir.example.org",
        "--s13-realm", "example.org", "--s13-peers", "any",
      ])
    let status = try await node.status()
    #expect(status.deciding.mode == "grey")
    #expect(status.deciding.modeRules == 1)
    let listeners = status.listeners?.map { "\($0.name) \($0.address)" }
    let gsup = try #require(node.gsup)
    let expected = try [
      "n17 \(node.checks)", "s13 \(#require(node.s13))", "gsup \(gsup)",
      "exchange \(#require(node.exchange))", "admin \(node.admin)",
    ]
    #expect(listeners == expected)
    #expect(status.gsup?.connections == 0)
    #expect(status.gsup?.hlrReachable == true)
    #expect(status.events?.messagesOnDisk == 0)
    #expect(status.keyFiles == nil)
    for line in [
      "  answers on \(expected.joined(separator: ", "))", "  mode       grey, 1 rule for some",
      "  GSUP       0 clients, the HLR is there", "  events     none is waiting",
      "  override   every device is answered white", "  shadow     every device is let through",
    ] {
      #expect(status.text.contains(line + "\n") || status.text.hasSuffix(line), "\(status.text)")
    }

    // Nobody is at that address: the client is let go, and the HLR is away.
    let parts = gsup.split(separator: ":")
    _ = try await Program.run(
      "/usr/bin/curl", ["-s", "--max-time", "5", "telnet://\(parts[0]):\(parts[1])"])
    try await eventually("the HLR is away") {
      try await node.status().gsup?.hlrReachable == false
    }
    #expect(try await node.stop() == 0)
  }

  @Test func `a status of the files alone ends with 3 and says so`() async throws {
    let scratch = try Scratch()
    let directory = scratch.path + "/node"
    let node = try await NodeProcess.start(in: directory, registry: "https://127.0.0.1:9")
    var answer = try await NodeProcess.eir(["status"] + NodeProcess.flags(directory))
    #expect(answer.status == 0)
    #expect(answer.errors == "")
    #expect(answer.output.contains("  answers on n17 \(node.checks), admin \(node.admin)\n"))
    #expect(try await node.stop() == 0)
    answer = try await NodeProcess.eir(["status"] + NodeProcess.flags(directory))
    #expect(answer.status == 3)
    #expect(answer.errors == "eir: no node runs on \(directory): this is what its files say\n")
    #expect(answer.output.contains(": not running\n"))
    #expect(!answer.output.contains("answers on"))
  }
}

import EIRNode
import Foundation
import Simulation
import Testing

/// `eir serve` with TLS and access tokens, asked by curl and h2load. RFC 6750; TS 33.501, 13.
@Suite(.serialized, .enabled(if: Tokens.isPossible && Tool.isInstalled("curl")))
struct N17ProcessTests {
  private static let query = "/n5g-eir-eic/v1/equipment-status?pei=imei-490154203237518"

  /// A node that follows nobody: whatever it is asked, the device is on no list.
  private func start(_ scratch: Scratch, _ more: [String]) async throws -> NodeProcess {
    try await NodeProcess.start(
      in: scratch.path + "/node", registry: "https://127.0.0.1:9",
      more: ["--policy-failure", "grey"] + more)
  }

  /// Protocol version and status behind the whole answer; the status is 000 where there was none.
  private func curl(
    _ node: NodeProcess, _ arguments: [String] = [], scheme: String = "http",
    query: String = query
  ) async throws -> String {
    try await Program.run(
      "/usr/bin/curl",
      ["-si", "--max-time", "10", "-w", "\n%{http_version} %{http_code}"] + arguments
        + ["\(scheme)://\(node.checks)\(query)"]
    ).output
  }

  private func bearer(_ token: String) -> [String] { ["-H", "Authorization: Bearer \(token)"] }

  @Test(arguments: ["--http2-prior-knowledge", "--http1.1"])
  func `without a genuine token nothing is answered`(version: String) async throws {
    let scratch = try Scratch()
    let tokens = Tokens(directory: scratch.path)
    let keys = try await tokens.makeKey("nrf")
    try await tokens.makeKey("stranger")
    let node = try await start(
      scratch, ["--n17-token-keys", keys, "--n17-nf-instance-id", Tokens.node.uppercased()])

    var answer = try await curl(node, [version])
    #expect(answer.hasSuffix(" 401"))
    #expect(answer.contains("\r\nwww-authenticate: Bearer realm=\"n5g-eir-eic\"\r\n"))
    #expect(answer.contains("\r\nserver: 5G_EIR-\(Tokens.node)\r\n"))
    #expect(answer.contains(#"{"title":"Unauthorized","status":401}"#))
    let forged = try await tokens.sign(Tokens.claims(), key: "stranger")
    for token in [forged, "nonsense", try await tokens.sign(Tokens.claims(seconds: -60))] {
      answer = try await curl(node, [version] + bearer(token))
      #expect(answer.hasSuffix(" 401"))
      #expect(answer.contains(#"error="invalid_token""#))
    }
    let other = try await tokens.sign(Tokens.claims(["scope": "namf-comm"]))
    answer = try await curl(node, [version] + bearer(other))
    #expect(answer.hasSuffix(" 403"))
    #expect(answer.contains(#"error="insufficient_scope", scope="n5g-eir-eic""#))

    let good = try await tokens.sign(Tokens.claims(["aud": [Tokens.node]]))
    for _ in 0..<3 {
      answer = try await curl(node, [version] + bearer(good))
      #expect(answer.hasSuffix(" 200"))
      #expect(answer.contains(#"{"status":"GREYLISTED"}"#))
    }
    answer = try await curl(node, [version] + bearer(good), query: "/n5g-eir-eic/v1/x")
    #expect(answer.hasSuffix(" 404"))
    #expect(try await node.metric("eir_n17_tokens_verified_total") == 1)
    for reason in ["missing", "signature", "malformed", "expired", "scope"] {
      let name = #"eir_n17_tokens_refused_total{reason="\#(reason)"}"#
      #expect(try await node.metric(name) == 1, "\(reason)")
    }
    #expect(try await node.metric("eir_n17_tokens_turned_away_total") == 0)
    #expect(try await node.stop() == 0)
    let log = try String(contentsOfFile: node.directory + ".err", encoding: .utf8)
    for reason in ["missing", "signature", "malformed", "expired", "scope"] {
      #expect(log.contains("listener=n17 peer=127.0.0.1 reason=\(reason) ["), "\(log)")
    }
    for token in [forged, "nonsense", other, good] { #expect(!log.contains(token)) }
  }

  @Test func `what an unknown device is answered names the setting that decided`() async throws {
    let scratch = try Scratch()
    let node = try await start(scratch, ["--policy-failure", "unknown"])
    let answer = try await curl(node)
    let detail = "No list counts, or the CEIR has not answered (policy.failure)."
    #expect(answer.contains(#""detail":"\#(detail)"}"#), "\(answer)")
    #expect(try await node.stop() == 0)
  }

  @Test func `new keys are used without a restart and broken ones are not`() async throws {
    let scratch = try Scratch()
    let tokens = Tokens(directory: scratch.path)
    let keys = try await tokens.makeKey("nrf")
    let next = try await tokens.makeKey("next")
    let former = try await tokens.sign(Tokens.claims())
    let node = try await start(scratch, ["--n17-token-keys", keys])
    #expect(try await curl(node, bearer(former)).hasSuffix(" 200"))

    try "broken".write(toFile: keys, atomically: true, encoding: .utf8)
    try await eventually("the node says that the keys are broken") {
      try String(contentsOfFile: node.directory + ".err", encoding: .utf8)
        .contains("what was read before stays in use")
    }
    #expect(try await curl(node, bearer(former)).hasSuffix(" 200"))

    let text = try String(contentsOfFile: next, encoding: .utf8)
    try text.write(toFile: keys, atomically: true, encoding: .utf8)
    let token = try await tokens.sign(Tokens.claims(), key: "next")
    try await eventually("the new keys count") {
      try await curl(node, bearer(token)).hasSuffix(" 200")
    }
    #expect(try await curl(node, bearer(former)).hasSuffix(" 401"))
    #expect(try await node.stop() == 0)
  }

  @Test(.enabled(if: Tool.isInstalled("h2load")))
  func `h2load is answered with a token over TLS, every time`() async throws {
    let scratch = try Scratch()
    let tokens = Tokens(directory: scratch.path)
    let certificates = Certificates(directory: scratch.path)
    try await certificates.makeAuthority("ca")
    try await certificates.issue("server", by: "ca")
    let node = try await start(
      scratch,
      ["--n17-token-keys", try await tokens.makeKey("nrf")] + certificates.flags("server"))
    let token = try await tokens.sign(Tokens.claims())
    let report = try await Program.run(
      "/usr/bin/h2load",
      [
        "-n", "5000", "-c", "4", "-m", "32", "-H", "Authorization: Bearer \(token)",
        "https://\(node.checks)\(Self.query)",
      ]
    ).output
    #expect(report.contains("5000 succeeded, 0 failed, 0 errored, 0 timeout"), "\(report)")
    #expect(report.contains("status codes: 5000 2xx"), "\(report)")
    #expect(try await node.stop() == 0)
  }
}

// MARK: - TLS

extension N17ProcessTests {
  @Test func `with TLS the port speaks nothing else`() async throws {
    let scratch = try Scratch()
    let certificates = Certificates(directory: scratch.path)
    try await certificates.makeAuthority("ca")
    try await certificates.issue("server", by: "ca")
    let node = try await start(scratch, certificates.flags("server"))
    let trust = ["--cacert", scratch.path + "/ca.crt"]

    #expect(try await curl(node, trust + ["--http2"], scheme: "https").hasSuffix("\n2 200"))
    #expect(try await curl(node, trust + ["--http1.1"], scheme: "https").hasSuffix("\n1.1 200"))
    #expect(
      try await curl(node, trust + ["--no-alpn"], scheme: "https").hasSuffix("\n1.1 200"))
    for version in ["1.2", "1.3"] {
      let arguments = trust + ["--http2", "--tlsv\(version)", "--tls-max", version]
      #expect(try await curl(node, arguments, scheme: "https").hasSuffix("\n2 200"), "\(version)")
    }
    let old = trust + ["--tlsv1.1", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"]
    #expect(try await curl(node, old, scheme: "https").hasSuffix(" 000"))
    for version in ["--http1.1", "--http2-prior-knowledge"] {
      #expect(try await curl(node, [version]).hasSuffix(" 000"), "in the clear")
    }
    #expect(try await curl(node, trust + ["--http2"], scheme: "https").hasSuffix("\n2 200"))
    #expect(try await node.stop() == 0)
    let log = try String(contentsOfFile: node.directory + ".err", encoding: .utf8)
    let refusals = log.split(separator: "\n").filter { $0.contains("a connection was refused") }
    #expect(refusals.count >= 3, "\(log)")
    #expect(refusals.allSatisfy { $0.contains("listener=n17 peer=127.0.0.1:") }, "\(log)")
    for line in ["stopping: no more connections", "no more is answered", "] stopped"] {
      #expect(log.contains(line), "\(log)")
    }
    #expect(log.contains("n17.connections=0 outstanding=0"), "\(log)")
  }

  @Test func `where an authority is set, clients show a certificate of it`() async throws {
    let scratch = try Scratch()
    let certificates = Certificates(directory: scratch.path)
    for name in ["ca", "clients", "strangers"] { try await certificates.makeAuthority(name) }
    try await certificates.issue("server", by: "ca")
    try await certificates.issue("amf", by: "clients")
    try await certificates.issue("stranger", by: "strangers")
    let node = try await start(
      scratch,
      certificates.flags("server") + ["--n17-tls-client-ca", scratch.path + "/clients.crt"]
    )
    let trust = ["--http2", "--cacert", scratch.path + "/ca.crt"]
    func shown(_ name: String) -> [String] {
      trust + ["--cert", "\(scratch.path)/\(name).crt", "--key", "\(scratch.path)/\(name).key"]
    }
    #expect(try await curl(node, shown("amf"), scheme: "https").hasSuffix("\n2 200"))
    #expect(try await curl(node, trust, scheme: "https").hasSuffix(" 000"))
    #expect(try await curl(node, shown("stranger"), scheme: "https").hasSuffix(" 000"))
    #expect(try await curl(node, shown("amf"), scheme: "https").hasSuffix("\n2 200"))
    #expect(try await node.stop() == 0)
  }

  @Test func `new certificates are shown without a restart and broken ones are not`()
    async throws
  {
    let scratch = try Scratch()
    let certificates = Certificates(directory: scratch.path)
    for name in ["ca", "next"] { try await certificates.makeAuthority(name) }
    try await certificates.issue("server", by: "ca")
    try await certificates.issue("renewed", by: "next")
    let node = try await start(scratch, certificates.flags("server"))
    let trust = ["--cacert", scratch.path + "/ca.crt"]
    #expect(try await curl(node, trust, scheme: "https").hasSuffix(" 200"))

    // Two files cannot be replaced at once: in between they do not belong together.
    try certificates.replace("server.crt", with: "renewed.crt")
    try await eventually("the node says that they do not fit") {
      try String(contentsOfFile: node.directory + ".err", encoding: .utf8)
        .contains("what was read before stays in use")
    }
    #expect(try await curl(node, trust, scheme: "https").hasSuffix(" 200"))
    var status = try await node.status()
    #expect(status.keyFiles?.first?.trouble?.contains("no certificates with their key") == true)
    #expect(status.keyFiles?.first?.certificateEnds != nil)
    let line = "  keys       the certificates of N17: "
    #expect(status.text.contains(line + "NOT as in the files, valid until 20"))
    try certificates.replace("server.key", with: "renewed.key")
    try await eventually("the new certificate is shown") {
      try await curl(node, ["--cacert", scratch.path + "/next.crt"], scheme: "https")
        .hasSuffix(" 200")
    }
    try await eventually("the status has no trouble") {
      status = try await node.status()
      return status.keyFiles?.first?.trouble == nil
    }
    #expect(status.text.contains(line + "as in the files, valid until 20"))
    #expect(try await node.stop() == 0)
  }

  @Test func `files that make no sense are refused at the start`() async throws {
    let scratch = try Scratch()
    let certificates = Certificates(directory: scratch.path)
    try await certificates.makeAuthority("ca")
    try await certificates.issue("server", by: "ca")
    let none = scratch.path + "/none"
    for flags in [
      ["--n17-token-keys", none], ["--n17-token-keys", scratch.path + "/server.key"],
      ["--n17-tls-certificate", scratch.path + "/server.crt", "--n17-tls-key", none],
      [
        "--n17-tls-certificate", scratch.path + "/server.crt",
        "--n17-tls-key", scratch.path + "/ca.key",
      ],
      certificates.flags("server") + ["--n17-tls-client-ca", scratch.path + "/server.key"],
      ["--n17-tls-key", scratch.path + "/server.key"],
      ["--n17-tls-client-ca", scratch.path + "/ca.crt"],
      ["--n17-nf-instance-id", "eir-1"],
    ] {
      let directory = scratch.path + "/node"
      try TestAuthority.shared.writeNode(to: directory + ".tls")
      let ended = try await NodeProcess.eir(
        ["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"] + flags
          + NodeProcess.flags(directory)
          + NodeProcess.registryFlags(directory, "https://127.0.0.1:9"))
      #expect(ended.status != 0, "\(flags)")
      #expect(!ended.errors.isEmpty, "\(flags)")
      #expect(ended.output.isEmpty, "\(flags)")
    }
  }
}

// MARK: - How long the asker waits

extension N17ProcessTests {
  @Test func `a check that asks the CEIR is answered before the asker gives up`() async throws {
    let scratch = try Scratch()
    let server = try RegistryServer(directory: scratch.path)
    server.change { $0.issuedAt = .now() }
    try await server.start()
    let node = try await NodeProcess.start(
      in: scratch.path + "/node", registry: server.url,
      more: [
        "--mode", "ask", "--ask-timeout-milliseconds", "10000", "--policy-failure", "grey",
        "--policy-unusable", "white",
      ])
    try await eventually("the node has a list") { try await node.status().ready }
    server.see { $0.status = nil }
    // curl itself gives up before the node's own limit.
    for headers in [
      ["-H", "3gpp-Sbi-Max-Rsp-Time: 300"],
      [
        "-H", "3gpp-Sbi-Max-Rsp-Time: 400",
        "-H", "3gpp-Sbi-Sender-Timestamp: Sun, 04 Aug 2019 08:49:37.845 GMT",
      ],
      ["-H", "3gpp-Sbi-Max-Rsp-Time: 0"],
    ] {
      let answer = try await curl(
        node, ["--http2-prior-knowledge", "--max-time", "5"] + headers,
        query: "/n5g-eir-eic/v1/equipment-status?pei=imei-352099000000006")
      #expect(answer.hasSuffix("\n2 200"), "\(headers)")
      #expect(answer.contains(#"{"status":"GREYLISTED"}"#), "\(headers)")
    }
    #expect(try await node.metric("eir_asked_late_total") == 3)
    await server.stop()
    #expect(try await node.stop() == 0)
  }
}

// MARK: - The end

extension N17ProcessTests {
  @Test func `a node that stops says how many answers it owes, and gives them`() async throws {
    let scratch = try Scratch()
    let server = try RegistryServer(directory: scratch.path)
    server.change { $0.issuedAt = .now() }
    try await server.start()
    let node = try await NodeProcess.start(
      in: scratch.path + "/node", registry: server.url,
      more: [
        "--mode", "ask", "--ask-timeout-milliseconds", "10000", "--policy-failure", "grey",
      ])
    try await eventually("the node has a list") { try await node.status().ready }
    server.see { $0.status = nil }
    async let owed = curl(
      node, ["--http2-prior-knowledge", "--max-time", "20"],
      query: "/n5g-eir-eic/v1/equipment-status?pei=imei-352099000000006")
    try await eventually("the CEIR is asked") { try await node.metric("eir_asked_total") == 1 }
    node.process.terminate()
    let log = node.directory + ".err"
    try await eventually("the node says that it stops") {
      try String(contentsOfFile: log, encoding: .utf8)
        .contains("n17.connections=1 outstanding=1 [EIRNode] stopping")
    }
    // Nobody answers any more, so the policy does.
    await server.stop()
    #expect(try await owed.contains(#"{"status":"GREYLISTED"}"#))
    try await eventually("the node has ended") { !node.process.isRunning }
    #expect(node.process.terminationStatus == 0)
    #expect(
      try String(contentsOfFile: log, encoding: .utf8)
        .contains("n17.connections=0 outstanding=0 [EIRNode] no more is answered"))
  }
}

/// Certificates that OpenSSL makes.
struct Certificates {
  let directory: String

  func flags(_ name: String) -> [String] {
    [
      "--n17-tls-certificate", "\(directory)/\(name).crt",
      "--n17-tls-key", "\(directory)/\(name).key",
    ]
  }

  func makeAuthority(_ name: String) async throws {
    try await openssl([
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
      "2",
      "-keyout", "\(directory)/\(name).key", "-out", "\(directory)/\(name).crt",
      "-subj", "/CN=\(name)",
    ])
  }

  func issue(_ name: String, by authority: String) async throws {
    try "subjectAltName=IP:127.0.0.1".write(
      toFile: "\(directory)/\(name).ext", atomically: true, encoding: .utf8)
    try await openssl([
      "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
      "-keyout", "\(directory)/\(name).key", "-out", "\(directory)/\(name).csr",
      "-subj", "/CN=\(name)",
    ])
    try await openssl([
      "x509", "-req", "-in", "\(directory)/\(name).csr", "-days", "1", "-CAcreateserial",
      "-CA", "\(directory)/\(authority).crt", "-CAkey", "\(directory)/\(authority).key",
      "-extfile", "\(directory)/\(name).ext", "-out", "\(directory)/\(name).crt",
    ])
  }

  func replace(_ name: String, with other: String) throws {
    let text = try String(contentsOfFile: "\(directory)/\(other)", encoding: .utf8)
    try text.write(toFile: "\(directory)/\(name)", atomically: true, encoding: .utf8)
  }

  private func openssl(_ arguments: [String]) async throws {
    let result = try await Program.run("/usr/bin/openssl", arguments)
    try #require(result.status == 0, "\(result.errors)")
  }
}

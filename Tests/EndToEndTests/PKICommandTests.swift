import Foundation
import Simulation
import Testing

/// `ceir pki` as a person uses it.
@Suite(.serialized)
struct PKICommandTests {
  private struct Row: Decodable {
    let holder: String
    let serial: String
    let state: String
  }

  /// A data directory with the operator alfa and the registry's certificates.
  private struct Registry {
    let folder: String
    var data: String { folder + "/data" }

    init() async throws {
      folder = try temporaryDirectory("ceir-pki")
      for arguments in [
        ["pki", "init", "--host", "localhost"], ["migrate"],
        ["operator", "add", "alfa", "--name", "Alfa", "--network", "00101"],
      ] {
        let result = try await run(arguments)
        #expect(result.status == 0, "\(arguments): \(result.errors)")
      }
    }

    func run(_ arguments: [String]) async throws -> Program.Result {
      try await Program.run("ceir", arguments + ["--data-directory", data], in: folder)
    }

    func list() async throws -> [Row] {
      let result = try await run(["pki", "list", "--format", "json"])
      return try JSONDecoder().decode([Row].self, from: Data(result.output.utf8))
    }

    func remove() throws { try FileManager.default.removeItem(atPath: folder) }
  }

  private func openssl(_ arguments: [String], in folder: String) async throws -> Program.Result {
    try await Program.run("/usr/bin/openssl", arguments, in: folder)
  }

  @Test func `a node gets its certificate, which is listed, renewed by request and revoked`()
    async throws
  {
    let registry = try await Registry()
    let (folder, out) = (registry.folder, registry.folder + "/eir-1")
    let name = ["--operator", "alfa", "--node", "eir-1"]
    let issued = try await registry.run(["pki", "issue", "--out", out] + name)
    #expect(issued.output.hasPrefix("urn:openceir:XA:node:alfa:eir-1: certificate "))
    let verified = try await openssl(
      ["verify", "-CAfile", "\(out)/root.pem", "-untrusted", "\(out)/node.pem", "\(out)/node.pem"],
      in: folder)
    #expect(verified.status == 0, "\(verified.errors)")
    let key = try FileManager.default.attributesOfItem(atPath: "\(out)/node.key")
    #expect(key[.posixPermissions] as? Int == 0o600)
    let again = try await registry.run(["pki", "issue", "--out", out] + name)
    #expect(again.status == 1)
    #expect(again.errors.contains("node.key is there already: name another folder"))
    _ = try await openssl(
      [
        "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
        "/CN=x", "-keyout", "\(folder)/own.key", "-out", "\(folder)/own.csr",
      ], in: folder)
    let requested = try await registry.run(
      ["pki", "issue", "--csr", "\(folder)/own.csr", "--out", "\(folder)/eir-2", "--days", "30"]
        + name)
    #expect(requested.status == 0, "\(requested.errors)")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: "\(folder)/eir-2").sorted()
        == ["node.pem", "root.pem"])
    #expect(try await registry.list().map(\.state) == ["valid", "valid"])
    let revoked = try await registry.run(["pki", "revoke", "--reason", "stolen"] + name)
    #expect(revoked.status == 0, "\(revoked.errors)")
    #expect(try await registry.list().map(\.state) == ["revoked", "revoked"])
    try registry.remove()
  }

  @Test func `a node whose certificates are revoked is marked until it has another`() async throws {
    let registry = try await Registry()
    let node = ["--operator", "alfa", "--node", "eir-1"]
    for step in ["valid", "revoked", "valid again"] {
      let result = try await registry.run(
        step == "revoked"
          ? ["pki", "revoke", "--reason", "stolen"] + node
          : ["pki", "issue", "--out", registry.folder + "/" + step] + node)
      #expect(result.status == 0, "\(result.errors)")
      let list = try await registry.run(["operator", "list"]).output
      #expect(list.contains("revoked") == (step == "revoked"), "\(step): \(list)")
      let sentence = "warning: alfa/eir-1: its certificates are revoked: ceir pki issue gives it"
      #expect(list.contains(sentence) == (step == "revoked"), "\(step): \(list)")
    }
    try registry.remove()
  }

  @Test func `who may not read the registry is told so`() async throws {
    let registry = try await Registry()
    let database = registry.data + "/postgresql"
    let mode = try #require(
      FileManager.default.attributesOfItem(atPath: database)[.posixPermissions] as? Int)
    try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: database)
    // Root may look everywhere, so somebody else is asked to.
    let isRoot = getuid() == 0
    let program = Program.path(of: "ceir")
    let arguments = ["operator", "list", "--data-directory", registry.data]
    let result = try await Program.run(
      isRoot ? "/usr/bin/setpriv" : program,
      (isRoot ? ["--reuid=65534", "--clear-groups", program] : []) + arguments)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: database)
    #expect(result.status == 1)
    #expect(
      result.errors.hasPrefix("ceir: This user may not read the registry in \(registry.data): run"),
      "\(result.errors)")
    try registry.remove()
  }

  @Test func `an operator that is added is told as JSON`() async throws {
    let registry = try await Registry()
    let result = try await registry.run([
      "operator", "add", "beta", "--name", "Beta", "--network", "00102", "--mode", "grey",
      "--format", "json",
    ])
    let answer = try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    #expect(answer["code"] as? String == "beta")
    #expect(answer["name"] as? String == "Beta")
    #expect(answer["networks"] as? [String] == ["00102"])
    #expect(answer["mode"] as? String == "grey")
    try registry.remove()
  }

  @Test func `a node retires by a command that may come twice`() async throws {
    let registry = try await Registry()
    let retire = ["operator", "retire-node", "alfa", "eir-1", "--reason", "replaced"]
    let unknown = try await registry.run(retire)
    #expect(unknown.status == 1)
    #expect(unknown.errors.contains("alfa has no node eir-1"))
    let issued = try await registry.run(
      ["pki", "issue", "--operator", "alfa", "--node", "eir-1", "--out", registry.folder + "/eir"])
    #expect(issued.status == 0, "\(issued.errors)")
    #expect(
      try await registry.run(retire).output
        == "alfa/eir-1: retired; certificates revoked: 1.\n")
    #expect(try await registry.run(retire).output == "alfa/eir-1: had retired already.\n")
    #expect(try await registry.list().map(\.state) == ["revoked"])
    #expect(try await !registry.run(["operator", "list"]).output.contains("eir-1"))
    let all = try await registry.run(["operator", "list", "--all"]).output
    #expect(all.contains("eir-1") && all.contains("retired"), "\(all)")
    try registry.remove()
  }

  @Test func `the CEIR's own are renewed, and the root's key is asked for where it is needed`()
    async throws
  {
    let registry = try await Registry()
    let renewed = try await registry.run(["pki", "renew", "--format", "json"])
    #expect(renewed.status == 0, "\(renewed.errors)")
    #expect(try await registry.list().map(\.holder).sorted() == ["ceir", "signer"])
    let issuing = try await registry.run(["pki", "renew", "--issuing"])
    #expect(issuing.output.split(separator: "\n").count == 3, "\(issuing.errors)")
    try FileManager.default.removeItem(atPath: registry.data + "/pki/root.key")
    let without = try await registry.run(["pki", "renew", "--issuing"])
    #expect(without.status == 1)
    #expect(without.errors.contains("bring it back from where it is kept"))
    let second = try await registry.run(["pki", "init"])
    #expect(second.status == 1)
    #expect(second.errors.contains("they are not made anew"))
    try registry.remove()
  }

  @Test(arguments: [
    (["pki", "issue", "--operator", "alfa", "--node", "eir-1", "--out", "x"], 1, "ceir pki init"),
    (["pki", "issue", "--operator", "alfa", "--node", "EIR", "--out", "x"], 2, "--node must have"),
    (
      ["pki", "issue", "--operator", "alfa", "--node", "a", "--out", "x", "--days", "9999"], 2,
      "--days must be from 1 to 825"
    ),
    (["pki", "init", "--host", "a b"], 2, "neither a host name nor an IP address"),
    (["pki", "revoke", "--reason", "x"], 2, "Give a serial, or --operator and --node"),
    (["pki", "revoke", "XYZ", "--reason", "x"], 2, "hexadecimal digits in lower case"),
    (["pki", "renew"], 1, "ceir pki init"),
  ])
  func `wrong use is told`(arguments: [String], status: Int32, words: String) async throws {
    let folder = try temporaryDirectory("ceir-pki")
    let result = try await Program.run(
      "ceir", arguments + ["--data-directory", "\(folder)/data"], in: folder)
    #expect(result.status == status, "\(result.errors)")
    #expect(result.errors.contains(words), "\(result.errors)")
    try FileManager.default.removeItem(atPath: folder)
  }
}

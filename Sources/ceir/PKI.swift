import ArgumentParser
import CEIRService
import DeviceLists
import ExchangeTrust
import Foundation
import RegistryStore
import X509

struct PKI: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pki",
    abstract: "The certificates by which the CEIR and the operators' nodes know each other.",
    discussion: """
      The registry has its own authority in pki.directory (the folder pki of its data \
      directory). root.key is needed only for a new issuing certificate: keep it elsewhere.

      EXAMPLES
        ceir pki init --host ceir.example.org
        ceir pki issue --operator alfa --node eir-1 --out /tmp/eir-1
        ceir pki issue --operator alfa --node eir-1 --csr eir-1.csr --out /tmp/eir-1 --days 30
        ceir pki revoke --operator alfa --node eir-1 --reason "the machine was stolen"
        ceir pki list --format json
        ceir pki renew
      """,
    subcommands: [Init.self, Issue.self, Revoke.self, List.self, Renew.self])
}

/// A certificate, as the commands print it.
struct CertificateRow: Encodable {
  let name: String
  let serial: String
  let notBefore: String
  let notAfter: String

  init(_ leaf: Certificate) {
    name = leaf.peerName?.description ?? "issuing"
    serial = leaf.serial.description
    notBefore = leaf.validFrom.description
    notAfter = leaf.validUntil.description
  }
}

extension CEIRSettings {
  var authority: AuthorityFolder { AuthorityFolder(directory: certificateDirectory) }
}

extension PKI {
  struct Init: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make the registry's authority and the CEIR's own certificates.",
      discussion: """
        Needs no database. What is there already is never made anew. Run it before ceir serve: \
        one that runs already opens the listeners for nodes only when it is started again.

        EXAMPLES
          ceir pki init
          ceir pki init --registry-name XA --host ceir.example.org --host 192.0.2.7
        """)

    @Option(help: "The registry's name; XA without it, as for a new registry.")
    var registryName: String?
    @Option(help: "A name or address of the CEIR; may be repeated (localhost without it).")
    var host: [String] = []
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    private struct Answer: Encodable {
      let registry: String
      let directory: String
      let root: String
    }

    func run() async throws {
      let settings = try await registry.settings()
      guard let name = RegistryName(registryName ?? settings.registryName ?? "XA") else {
        throw ValidationError("--registry-name is no name of a registry, such as XA.")
      }
      try DataDirectory.create(settings.dataDirectory)
      let authority = try settings.authority.make(
        registry: name, hosts: hostNames(host), asOf: .now)
      let answer = Answer(
        registry: name.description, directory: settings.authority.directory,
        root: authority.root.serial.description)
      if format == .json { return try Terminal.json(answer) }
      Terminal.output(
        """
        Registry \(answer.registry): certificates made in \(answer.directory).
        Move \(settings.authority.rootKeyPath) to a safe place away from this machine.
        A ceir serve that runs already answers nodes after it has been started again.
        """)
    }
  }

  struct Issue: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Issue the certificate of an operator's EIR node.",
      discussion: """
        Writes node.pem, node.key (not with --csr) and root.pem into the folder of --out.

        EXAMPLES
          ceir pki issue --operator alfa --node eir-1 --out /tmp/eir-1
          ceir pki issue --operator alfa --node eir-1 --csr eir-1.csr --out /tmp/eir-1
        """)

    @Option(name: .customLong("operator"), help: "The operator's code.") var operatorCode: String
    @Option(help: "The node's name.") var node: String
    @Option(help: "The folder to write to.", completion: .directory) var out: String
    @Option(help: "A PKCS#10 request in PEM; its key stays where it is.", completion: .file())
    var csr: String?
    @Option(help: "Days until it ends.") var days: Int?
    @Option(help: "A name or address of the node; may be repeated (localhost without it).")
    var host: [String] = []
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    private struct Answer: Encodable {
      let certificate: CertificateRow
      let directory: String
    }

    func run() async throws {
      guard let code = OperatorCode(operatorCode) else {
        throw ValidationError("--operator is not the code of an operator.")
      }
      guard let name = NodeName(node) else {
        throw ValidationError(
          "--node must have 1 to \(NodeName.longestText) of a-z, 0-9 and -.")
      }
      let days = self.days ?? CertificateLifetimes().nodeDays
      guard (1...CertificateAuthority.longestDays).contains(days) else {
        throw ValidationError("--days must be from 1 to \(CertificateAuthority.longestDays).")
      }
      let authority = try await registry.settings().authority.open()
      let files = CredentialFiles(directory: out, name: "node")
      try files.expectNone(keepsKey: csr != nil)
      let role = PeerName.Role.node(code, name)
      let hosts = try hostNames(host)
      let leaf: Certificate
      if let csr {
        let request = try CertificateRequest(pem: text(of: csr))
        let chain = try authority.issue(role, for: request, hosts: hosts, days: days, asOf: .now)
        leaf = chain[0]
        try await record([leaf], action: "pki.issue")
        try files.create(chain: chain, root: authority.root)
      } else {
        let credential = try authority.issue(role, hosts: hosts, days: days, asOf: .now)
        leaf = credential.leaf
        try await record([leaf], action: "pki.issue")
        try files.create(credential, root: authority.root)
      }
      let row = CertificateRow(leaf)
      if format == .json { return try Terminal.json(Answer(certificate: row, directory: out)) }
      Terminal.output("\(row.name): certificate \(row.serial) until \(row.notAfter) in \(out).")
    }

    private func record(_ leaves: [Certificate], action: String) async throws {
      try await PKI.record(leaves, action: action, in: registry)
    }

    private func text(of path: String) throws -> String {
      let handle: FileHandle
      do {
        handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      } catch {
        throw ValidationError("The request \(path) cannot be read: check the path.")
      }
      defer { try? handle.close() }
      let bytes = try handle.read(upToCount: CertificateRequest.longestText + 1) ?? Data()
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  struct Renew: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give the CEIR's own certificates a new life; ceir serve takes them up by itself.",
      discussion: """
        ceir serve does this when two thirds of their life are over. A new issuing certificate \
        needs root.key in its place.

        EXAMPLES
          ceir pki renew
          ceir pki renew --issuing
          ceir pki renew --host ceir.example.org
        """)

    @Flag(help: "Also a new issuing certificate.") var issuing = false
    @Option(help: "A name or address of the CEIR; may be repeated (as before without it).")
    var host: [String] = []
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    func run() async throws {
      let folder = try await registry.settings().authority
      let renewal = try folder.makeRenewal(
        withIssuing: issuing, hosts: host.isEmpty ? nil : hostNames(host), asOf: .now)
      try await PKI.record(renewal.leaves, action: "pki.renew", in: registry)
      try folder.install(renewal)
      let made = (renewal.issuing.map { [$0.leaf] } ?? []) + renewal.leaves
      let rows = made.map(CertificateRow.init)
      if format == .json { return try Terminal.json(rows) }
      for row in rows {
        Terminal.output("\(row.name): certificate \(row.serial) until \(row.notAfter).")
      }
    }
  }

  /// Notes what was issued before anybody has it.
  fileprivate static func record(
    _ leaves: [Certificate], action: String, in registry: RegistryOptions
  ) async throws {
    try await registry.withRegistry { store in
      try await store.write { registry in
        for leaf in leaves {
          try await registry.record(leaf, by: Actor.name)
          try await registry.recordActivity(
            action, by: Actor.name,
            about: [
              "name": leaf.peerName?.description ?? "", "serial": leaf.serial.description,
            ])
        }
      }
    }
  }
}

private func hostNames(_ texts: [String]) throws -> [HostName] {
  guard !texts.isEmpty else { return HostName.loopback }
  return try texts.map { text in
    do throws(TrustError) {
      return try HostName(text)
    } catch {
      throw ValidationError("--host: \(error.description).")
    }
  }
}

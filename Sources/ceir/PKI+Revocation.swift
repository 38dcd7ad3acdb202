import ArgumentParser
import CEIRService
import DeviceLists
import ExchangeTrust
import RegistryStore

extension PKI {
  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Revoke a certificate, or all of a node: what it has open is closed.",
      discussion: """
        EXAMPLES
          ceir pki revoke 1f0a3c5e7a9b2d4f6081a2b3c4d5e6f7 --reason "the machine was stolen"
          ceir pki revoke --operator alfa --node eir-1 --reason "out of service"
        """)

    @Argument(help: "The serial, as ceir pki list shows it.") var serial: String?
    @Option(name: .customLong("operator"), help: "The operator of the node.")
    var operatorCode: String?
    @Option(help: "The node whose certificates all end.") var node: String?
    @Option(help: "Why, for the activity trail.") var reason: String
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    private struct Answer: Encodable {
      let revoked: [String]
    }

    func validate() throws {
      let isOne = serial != nil && operatorCode == nil && node == nil
      let isNode = serial == nil && operatorCode != nil && node != nil
      guard isOne || isNode else {
        throw ValidationError("Give a serial, or --operator and --node.")
      }
      if let serial, CertificateSerial(serial) == nil {
        throw ValidationError("A serial has hexadecimal digits in lower case: see ceir pki list.")
      }
    }

    func run() async throws {
      let revoked = try await registry.withRegistry { store in
        try await store.write { registry in
          let serials = try await revoke(in: registry)
          for serial in serials {
            try await registry.recordActivity(
              "pki.revoke", by: Actor.name, about: ["serial": serial, "reason": reason])
          }
          return serials
        }
      }
      if format == .json { return try Terminal.json(Answer(revoked: revoked)) }
      Terminal.output(
        revoked.isEmpty
          ? "Nothing was left to revoke."
          : revoked.map { "\($0): revoked." }.joined(separator: "\n"))
    }

    private func revoke(in registry: RegistryTransaction) async throws -> [String] {
      if let serial {
        try await registry.revokeCertificate(serial: serial, by: Actor.name, reason: reason)
        return [serial]
      }
      guard let code = operatorCode.flatMap({ OperatorCode($0) }),
        let name = node.flatMap({ NodeName($0) })
      else {
        throw ValidationError("--operator and --node do not name a node.")
      }
      return try await registry.revokeCertificates(
        of: code, node: name, by: Actor.name, reason: reason)
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the certificates that were issued, the newest first.",
      discussion: """
        EXAMPLES
          ceir pki list
          ceir pki list --format json
        """)

    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    private struct Row: Encodable {
      let holder: String
      let serial: String
      let notBefore: String
      let notAfter: String
      let issuedAt: String
      let issuedBy: String
      let state: String
      let revokedAt: String?
      let revokedBy: String?
      let revokeReason: String?

      init(_ record: CertificateRecord, asOf now: Instant) {
        holder =
          switch record.holder {
          case .ceir: "ceir"
          case .signer: "signer"
          case .node(let code, let name): "\(code)/\(name)"
          }
        serial = record.serial
        notBefore = record.notBefore.description
        notAfter = record.notAfter.description
        issuedAt = record.issuedAt.description
        issuedBy = record.issuedBy
        state = record.revokedAt != nil ? "revoked" : record.notAfter < now ? "ended" : "valid"
        revokedAt = record.revokedAt?.description
        revokedBy = record.revokedBy
        revokeReason = record.revokeReason
      }
    }

    func run() async throws {
      let records = try await registry.withRegistry { store in
        try await store.read { registry in try await registry.certificates() }
      }
      let rows = records.map { Row($0, asOf: .now) }
      if format == .json { return try Terminal.json(rows) }
      var table = TextTable(["HOLDER", "SERIAL", "ENDS", "STATE", "ISSUED BY"])
      for row in rows {
        table.add([row.holder, row.serial, row.notAfter, row.state, row.issuedBy])
      }
      Terminal.output(table.text)
    }
  }
}

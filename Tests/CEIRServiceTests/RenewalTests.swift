import CEIRService
import DeviceLists
import ExchangeTrust
import Foundation
import ListExchange
import RegistryStore
import Simulation
import Testing
import X509

/// The CEIR's own certificates get a new life while it runs.
struct RenewalTests {
  @Test func `the CEIR renews its own certificates, and shows the new ones without a restart`()
    async throws
  {
    var serials: [String] = []
    let world = try await ExchangeWorld.start { world in
      // Seventy of ninety days are over.
      let then = Instant.now.adding(seconds: -70 * 86_400)
      let old = try world.authority.issue(.ceir, hosts: HostName.loopback, days: 90, asOf: then)
      try world.authorityFolder.ceir.replace(with: old)
      serials.append(old.leaf.serial.description)
    }
    let folder = world.authorityFolder
    let node = try await world.node()
    try await eventually("another certificate in its place") {
      try folder.ceir.read().leaf.serial.description != serials[0]
    }
    let renewed = try folder.ceir.read().leaf
    #expect(!renewed.shouldBeRenewed(asOf: .now))
    #expect(renewed.hostNames == HostName.loopback)
    let known = try await world.store.read { try await $0.certificates() }.map(\.serial)
    #expect(known.contains(renewed.serial.description))
    try await eventually("the new certificate on a new connection") {
      try await Self.serial(shownTo: node, at: world.exchangeURL) == renewed.serial.description
    }
    // Checkpoints are signed by the new signer, and every node believes them.
    try await world.block(49_015_420_323_751)
    let epoch = try await world.head().epoch
    let signer = try folder.signer.read().leaf
    try await eventually("a delta of the new signer") {
      let deltas = try await node.changes(from: .beginning(of: epoch))
      let chain = try deltas.first?.signed().signature.certificates ?? []
      return try chain.first == signer.derBytes()
    }
    try await world.stop()
  }

  /// The serial of the certificate that the CEIR shows in a new handshake, by openssl.
  private static func serial(shownTo node: TestNode, at url: String) async throws -> String {
    let address = url.replacing("https://", with: "")
    let result = try await Program.run(
      "/bin/sh",
      [
        "-c",
        "openssl s_client -connect \"$0\" -cert \"$1/node.pem\" -key \"$1/node.key\" </dev/null "
          + "2>/dev/null | openssl x509 -noout -serial",
        address, node.directory,
      ])
    return result.output.lowercased()
      .replacing("serial=", with: "").trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

import Foundation
import Simulation
import Testing

/// The real osmo-hlr, which takes any subscriber as soon as a device check or a request for
/// authentication is about one.
final class OsmoHLR: Sendable {
  static let port = 4222

  let program: Program
  /// A loopback address of its own, for its port cannot be chosen.
  let host: String

  private init(program: Program, host: String) {
    self.program = program
    self.host = host
  }

  /// Also where a test fails before its end.
  deinit { if program.isRunning { program.send(SIGKILL) } }

  /// - Parameter address: nil for any that is free.
  static func start(in folder: String, at address: String? = nil) async throws -> OsmoHLR {
    let parts = (0..<3).map { _ in UInt8.random(in: 1...250) }
    let host = address ?? "127.\(parts[0]).\(parts[1]).\(parts[2])"
    let base = "\(folder)/hlr-\(UUID().uuidString)"
    try """
    log stderr
     logging filter all 1
     logging level set-all info
    line vty
     bind \(host)
    ctrl
     bind \(host)
    hlr
     gsup
      bind ip \(host)
      ipa-name THE-HLR
     subscriber-create-on-demand no-msisdn none
    """.write(toFile: base + ".cfg", atomically: true, encoding: .utf8)
    let program = try Program(
      "/usr/bin/osmo-hlr", ["-c", base + ".cfg", "-l", base + ".db", "-s"], in: folder)
    let hlr = OsmoHLR(program: program, host: host)
    try await eventually("osmo-hlr accepts connections on \(host)") {
      guard program.isRunning else {
        throw NotInTime(description: "osmo-hlr ended: \(program.errors.suffix(500))")
      }
      guard let peer = try? await TCPPeer.connect(host, port) else { return false }
      await peer.close()
      return true
    }
    return hlr
  }

  /// What it logs.
  var log: String { program.errors }

  func kill() async throws {
    program.send(SIGKILL)
    _ = try await program.end()
  }
}

import Foundation
import Simulation
import Testing

/// Who works under the name of a node, as the registry says it.
struct TwoMachinesTests {
  @Test func `a certificate that two machines use is seen and said, one that moved is not`()
    async throws
  {
    let country = try await Country.start()
    try await country.untilNodeIsLevel()
    let copy = "eir-1-copy"
    try FileManager.default.copyItem(
      atPath: "\(country.folder)/tls-\(Country.nodeName)", toPath: "\(country.folder)/tls-\(copy)")
    // What another machine of its own makes of it: its id is made of this file and the machine's.
    try FileManager.default.removeItem(atPath: "\(country.folder)/tls-\(copy)/instance")
    try country.copyNode(Country.nodeName, as: copy)
    #expect(try await !country.require("operator", "list").contains("warning"))
    // The machine is replaced for good.
    try await country.killEIR()
    try await country.startEIR(copy)
    try await country.untilNodeIsLevel(copy)
    #expect(try await !country.require("operator", "list").contains("warning"))
    // And then the former one is back beside it.
    try await country.startEIR()
    try await eventually("it is said") {
      try await country.require("operator", "list").contains(
        "warning: alfa/eir-1: one certificate is used by two machines, noticed at ")
    }
    let log = country.ceir.errors
    #expect(log.contains("One certificate is used by two machines."), "\(log.suffix(800))")
    try await country.remove()
  }
}

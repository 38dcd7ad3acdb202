import CEIRService
import DeviceLists
import Foundation
import ListExchange
import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// Files for an operator, on a real database. One at a time: each has a database of its own.
@Suite(.serialized)
struct OutboxTests {
  @Test(arguments: FileCompression.allCases)
  func `full, incremental and silent files follow one another and add up`(
    compression: FileCompression
  ) async throws {
    try await FileOffice.with(compression) { office in
      try await office.block(1...40)
      try await office.block(30...35, scope: .only(FileOffice.code))
      try await office.work()
      try await office.work(in: 200)
      #expect(try office.manifests().map(\.name.kind) == [.full])
      try await office.block(41...50)
      try await office.work(in: 400)
      try await office.work(in: 1_100)
      try await office.block(51...52)
      try await office.work(in: 90_000)
      let manifests = try office.manifests()
      #expect(
        manifests.map(\.name.kind) == [.full, .incremental, .incremental, .incremental, .full])
      #expect(manifests.map(\.name.number.number) == [1, 2, 3, 4, 5])
      #expect(manifests.map(\.records) == [46, 10, 0, 2, 58])
      var list: [Entry] = []
      for manifest in manifests {
        let rows = try office.rows(manifest)
        if manifest.name.kind == .full { list = [] }
        for row in rows {
          guard let entryClass = row.entryClass else { continue }
          list.append(Entry(subject: row.subject, scope: row.scope, entryClass: entryClass))
        }
        let sum = list.reduce(ListDigest.zero) { $0 + $1.digest }
        #expect(sum == manifest.checkpoint.checkpoint.digest, "\(manifest.name.stem)")
      }
      let head = try await office.head()
      let last = try #require(manifests.last).checkpoint.checkpoint
      #expect(last.position == head.position)
      #expect(last.digest == head.digest)
      #expect(try office.names("work").isEmpty)
    }
  }

  @Test func `without a signer nothing is written, which is counted, until there is one`()
    async throws
  {
    try await FileOffice.with { office in
      try await office.block(1...3)
      office.hasSigner.isOn = false
      try await office.work()
      #expect(try office.manifests().isEmpty)
      #expect(office.metrics.fileFailures.current == 1)
      office.hasSigner.isOn = true
      try await office.work()
      #expect(try office.manifests().map(\.name.kind) == [.full])
      #expect(office.metrics.fileFailures.current == 1)
    }
  }

  @Test func `other parameters begin with a full file by them`() async throws {
    try await FileOffice.with { office in
      try await office.block(1...3)
      try await office.work()
      try await office.propose(
        ExchangeParameters(style: .files, files: .init(compression: .gzip)))
      try await office.work(in: 1)
      let manifests = try office.manifests()
      #expect(manifests.map(\.dataFile).last == "XA_alfa_000000002_full.csv.gz")
      #expect(manifests.map(\.parametersVersion) == [1, 2])
    }
  }

  /// What lies where when the process is killed after each step of the last file.
  @Test(arguments: ["staged", "data archived", "both archived", "data shown", "shown"])
  func `a file that has its number is shown, wherever the registry was killed`(
    step: String
  ) async throws {
    try await FileOffice.with(.gzip) { office in
      try await office.block(1...5)
      try await office.work()
      let stem = "XA_alfa_000000001_full"
      let (data, manifest) = ("\(stem).csv.gz", "\(stem).json")
      let before = try (office.bytes("outbox/\(data)"), office.bytes("outbox/\(manifest)"))
      func move(_ name: String, from: String, to: String) throws {
        try FileManager.default.moveItem(
          atPath: "\(office.home)/\(from)/\(name)", toPath: "\(office.home)/\(to)/\(name)")
      }
      func hide(_ name: String) throws {
        try FileManager.default.removeItem(atPath: "\(office.home)/outbox/\(name)")
      }
      if step != "shown" { try hide(manifest) }
      if !["shown", "data shown"].contains(step) { try hide(data) }
      if ["staged", "data archived"].contains(step) {
        try FileManager.default.removeItem(atPath: "\(office.home)/archive/\(manifest)")
      }
      if step == "staged" { try move(data, from: "archive", to: "work") }
      try await office.registry.owner.withConnection { connection in
        try await connection.script("UPDATE ceir.replication SET published_at = NULL")
      }
      try office.put([1, 2, 3], "work/XA_alfa_000000002_incremental.csv")
      try await office.work(in: 1)
      #expect(try office.bytes("outbox/\(data)") == before.0)
      #expect(try office.bytes("outbox/\(manifest)") == before.1)
      #expect(try office.names("outbox") == [data, manifest])
      #expect(try office.names("work").isEmpty)
    }
  }

  @Test func `a file that was begun and has no number leaves nothing`() async throws {
    try await FileOffice.with { office in
      try await office.block(1...5)
      try await office.work()
      try await office.block(6...7)
      let begun = "XA_alfa_000000002_incremental"
      try office.put([1, 2, 3], "work/\(begun).csv")
      try await office.work(in: 400)
      let manifests = try office.manifests()
      #expect(manifests.count == 2)
      #expect(try office.rows(manifests[1]).count == 2)
    }
  }

  @Test func `a lost file is shown again, with the same bytes`() async throws {
    try await FileOffice.with { office in
      try await office.block(1...5)
      try await office.work()
      try await office.block(6...7)
      try await office.work(in: 400)
      let name = "outbox/XA_alfa_000000001_full"
      let before = try office.bytes(name + ".csv")
      for ending in [".csv", ".json"] {
        try FileManager.default.removeItem(atPath: "\(office.home)/\(name)\(ending)")
      }
      try await office.work(in: 401)
      #expect(try office.names("outbox").count == 2)
      let isKnown = try await office.store.write {
        try await $0.requestResend(of: FileOffice.code, number: 1)
      }
      #expect(isKnown)
      try await office.work(in: 402)
      #expect(try office.bytes(name + ".csv") == before)
      #expect(try office.names("outbox").count == 4)
      let due = try await office.store.read { try await $0.resendsDue().count }
      #expect(due == 0)
    }
  }

  @Test func `a disk that lost the newest file gets a full one under a new number`() async throws {
    try await FileOffice.with { office in
      try await office.block(1...5)
      try await office.work()
      for folder in ["outbox", "archive"] {
        for name in try office.names(folder) {
          try FileManager.default.removeItem(atPath: "\(office.home)/\(folder)/\(name)")
        }
      }
      try await office.work(in: 5)
      #expect(try office.manifests().map(\.name.stem) == ["XA_alfa_000000002_full"])
    }
  }

  @Test func `a restored database goes on above the numbers that operators have seen`()
    async throws
  {
    try await FileOffice.with { office in
      try await office.block(1...5)
      try await office.work()
      let manifest = try #require(try office.manifests().first)
      var later = manifest
      later.name = ReplicationName(
        registry: FileOffice.registryName, operatorCode: FileOffice.code, number: FileNumber(41)!,
        kind: .incremental)
      try office.put(later.json, "archive/\(later.name.manifest)")
      try await office.block(6...7)
      try await office.work(in: 400)
      #expect(try office.manifests().map(\.name.number.number) == [1, 42])
    }
  }

  @Test func `old files go, the newest full one and what follows stay`() async throws {
    try await FileOffice.with { office in
      try await office.block(1...5)
      try await office.work()
      try await office.block(6...6)
      try await office.work(in: 400)
      try await office.work(in: 90_000)
      #expect(try office.manifests().map(\.name.number.number) == [1, 2, 3])
      try await office.work(in: 86_400 * 31, removesOld: true)
      #expect(try office.manifests().first?.name.kind == .full)
      #expect(try office.manifests().first?.name.number.number ?? 0 >= 3)
      #expect(try office.names("archive").allSatisfy { !$0.contains("_000000001_") })
    }
  }
}

import DeviceLists
import RegistryStore
import Simulation
import Testing

/// Numbers of files, out and in.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct FilesTests {
  @Test func `numbers of an operator's files rise, and none stands for two`() async throws {
    try await withNodes { registry, alfa, beta in
      let (code, other) = (alfa.operatorCode, beta.operatorCode)
      #expect(try await registry.store.read { try await $0.lastReplication(of: code) } == nil)
      for (number, kind) in [
        (1, .full), (2, .incremental), (3, .full), (4, .incremental),
      ] as [(Int64, ReplicationRecord.Kind)] {
        try await registry.store.write {
          try await $0.record(replication(number, kind: kind), of: code)
        }
      }
      await registry.expectError(.nameTaken) { try await $0.record(replication(4), of: code) }
      try await registry.store.read {
        let last = try await $0.lastReplication(of: code)
        #expect(last == replication(4, kind: .incremental))
        #expect(try await $0.lastFullReplication(of: code)?.record == replication(3))
        #expect(try await $0.replication(of: code, number: 1) == replication(1))
        #expect(try await $0.replication(of: code, number: 5) == nil)
        #expect(try await $0.lastReplication(of: other) == nil)
      }
    }
  }

  @Test func `two that write at once do not use one number twice`() async throws {
    try await withNodes { registry, alfa, _ in
      let written = await withTaskGroup(of: Bool.self) { group in
        for _ in 0..<6 {
          group.addTask {
            (try? await registry.store.write {
              try await $0.record(replication(1), of: alfa.operatorCode)
            }) != nil
          }
        }
        return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(written == 1)
    }
  }

  @Test func `a lost file is asked for and handed over again`() async throws {
    try await withNodes { registry, alfa, _ in
      let code = alfa.operatorCode
      func due() async throws -> [Int64] {
        try await registry.store.read { try await $0.resendsDue() }.map(\.file.number)
      }
      for number in Int64(1)...2 {
        try await registry.store.write { try await $0.record(replication(number), of: code) }
      }
      let unknown = try await registry.store.write {
        try await $0.requestResend(of: code, number: 3)
      }
      #expect(!unknown)
      for _ in 0..<2 {
        let isKnown = try await registry.store.write {
          try await $0.requestResend(of: code, number: 2)
        }
        #expect(isKnown)
        #expect(try await due() == [2])
        try await registry.store.write { try await $0.publishReplication(of: code, number: 2) }
        #expect(try await due() == [])
      }
    }
  }

  @Test func `a file is shown after it is recorded, and removed when it is old`() async throws {
    try await withNodes { registry, alfa, _ in
      let code = alfa.operatorCode
      let later = try await registry.now(adding: 60)
      func unpublished() async throws -> [Int64] {
        try await registry.store.read { try await $0.unpublishedReplications(of: code) }
          .map(\.number)
      }
      func kept(_ moment: Instant) async throws -> [Int64] {
        try await registry.store.read {
          try await $0.replications(of: code, madeBefore: moment, limit: 2)
        }.map(\.number)
      }
      for number in Int64(1)...3 {
        try await registry.store.write { try await $0.record(replication(number), of: code) }
      }
      #expect(try await unpublished() == [1, 2, 3])
      for number in Int64(1)...2 {
        try await registry.store.write {
          try await $0.publishReplication(of: code, number: number)
        }
      }
      #expect(try await unpublished() == [3])
      #expect(try await kept(later) == [1, 2])
      #expect(try await kept(later.adding(seconds: -3_600)) == [])
      try await registry.store.write { try await $0.removeReplication(of: code, number: 1) }
      #expect(try await kept(later) == [2, 3])
      let isKept = try await registry.store.write {
        try await $0.requestResend(of: code, number: 1)
      }
      #expect(!isKept)
    }
  }

  @Test func `a file of a node is processed once`() async throws {
    try await withNodes { registry, alfa, beta in
      #expect(try await registry.store.read { try await $0.lastInboundNumber(of: alfa) } == 0)
      var file = InboundFileRecord(
        number: 1, kind: .ownDelta, fileName: "alfa_eir-1_000000001_own-delta.csv", sha256: hash(1),
        code: nil, taken: 3, refused: 1, response: Array("2,0009,\n".utf8))
      let outcomes = await withTaskGroup(of: Bool.self) { [file] group in
        for _ in 0..<6 {
          group.addTask {
            (try? await registry.store.write { try await $0.record(file, of: alfa) }) != nil
          }
        }
        return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(outcomes == 1)
      let found = try await registry.store.read { try await $0.inboundFile(of: alfa, number: 1) }
      #expect(found == file)
      file.number = 2
      file.code = 1202
      try await registry.store.write { [file] in try await $0.record(file, of: alfa) }
      try await registry.store.read { [file] in
        let second = try await $0.inboundFile(of: alfa, number: 2)
        #expect(second == file)
        #expect(try await $0.inboundFile(of: beta, number: 1) == nil)
        #expect(try await $0.lastInboundNumber(of: alfa) == 2)
        #expect(try await $0.lastInboundNumber(of: beta) == 0)
      }
    }
  }
}

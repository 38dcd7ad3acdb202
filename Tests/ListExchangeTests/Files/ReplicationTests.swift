import DeviceLists
import Simulation
import Testing

@testable import ListExchange

struct ReplicationFollowerTests {
  private static let issuedAt = Samples.issuedAt

  private static func full(_ number: Int, _ position: UInt64) throws -> ReplicationManifest {
    try FileSamples.manifest(
      number, .full, after: 0, upTo: position, digest: Samples.digest(UInt8(position)))
  }

  private static func changes(
    _ number: Int, _ after: UInt64, _ position: UInt64
  ) throws -> ReplicationManifest {
    try FileSamples.manifest(
      number, .incremental, after: after, upTo: position,
      digest: Samples.digest(UInt8(position)))
  }

  private static func step(
    _ manifests: [ReplicationManifest], at position: UInt64?, last: Int? = nil
  ) -> ReplicationFollower.Step {
    let head = position.map { Samples.head($0, digest: Samples.digest(UInt8($0))) }
    return ReplicationFollower.step(
      manifests, head: head, last: last.flatMap { FileNumber($0) })
  }

  @Test func `a node without a list takes the newest full file`() throws {
    let files = [
      try Self.full(1, 10), try Self.changes(2, 10, 12), try Self.full(3, 12),
      try Self.changes(4, 12, 15),
    ]
    #expect(Self.step(files, at: nil) == .install(files[2]))
    #expect(
      Self.step([files[1]], at: nil) == .wait(.init(missing: nil, before: FileNumber(2)!)))
    #expect(Self.step([], at: nil) == .idle)
    // What lies before it is known afterwards, and what follows leads on.
    #expect(Self.step(files, at: 12) == .passOver(files[0]))
    #expect(Self.step(Array(files[1...]), at: 12) == .confirm(files[1]))
    #expect(Self.step([files[3]], at: 12) == .apply(files[3]))
  }

  @Test func `a gap waits and is named, and a later full file heals it`() throws {
    let after = try Self.changes(7, 20, 30)
    let gap = ReplicationFollower.Gap(
      missing: FileNumber(4)!...FileNumber(6)!, before: FileNumber(7)!)
    #expect(Self.step([after], at: 10, last: 3) == .wait(gap))
    #expect(gap.description.hasPrefix("000000004 to 000000006 missing before 000000007"))
    let full = try Self.full(9, 40)
    #expect(Self.step([after, try Self.changes(8, 30, 40), full], at: 10) == .install(full))
    // Changes that overlap with what is there are no gap, whatever their numbers say.
    #expect(Self.step([after], at: 25, last: 3) == .apply(after))
  }

  @Test func `a list that differs is not confirmed, and a full file replaces it`() throws {
    let other = ListHead(
      epoch: Samples.epoch, position: Position(20), digest: Samples.digest(99),
      issuedAt: Self.issuedAt)
    let full = try Self.full(5, 20)
    let changes = try Self.changes(4, 10, 20)
    #expect(ReplicationFollower.step([full], head: other, last: nil) == .install(full))
    #expect(ReplicationFollower.step([changes, full], head: other, last: nil) == .install(full))
    #expect(
      ReplicationFollower.step([changes], head: other, last: nil)
        == .wait(.init(missing: nil, before: FileNumber(4)!)))
  }

  @Test func `a new epoch is entered by the same list or by a full file, never backwards`() throws {
    let head = Samples.head(20, digest: Samples.digest(20))
    func file(
      _ kind: ReplicationName.Kind, _ after: UInt64, _ upTo: UInt64, later seconds: Int64
    ) throws -> ReplicationManifest {
      try FileSamples.manifest(
        6, kind, after: after, upTo: upTo, digest: Samples.digest(UInt8(upTo)),
        epoch: Samples.otherEpoch, issuedAt: Self.issuedAt.adding(seconds: seconds))
    }
    let same = try file(.incremental, 18, 20, later: 5)
    #expect(ReplicationFollower.step([same], head: head, last: nil) == .confirm(same))
    let lower = try file(.full, 0, 15, later: 5)
    #expect(ReplicationFollower.step([lower], head: head, last: nil) == .install(lower))
    let old = try file(.full, 0, 15, later: -5)
    #expect(ReplicationFollower.step([old], head: head, last: nil) == .passOver(old))
    let changes = try file(.incremental, 20, 25, later: 5)
    #expect(
      ReplicationFollower.step([changes], head: head, last: nil)
        == .wait(.init(missing: nil, before: FileNumber(6)!)))
  }

  /// Files are lost, doubled, late and in disorder; at rest the node stands where the last does.
  @Test(arguments: 0..<200)
  func `whatever happens to files, the node arrives and never goes back`(seed: UInt64) throws {
    var chance = SeededGenerator(seed: seed)
    var positions: [UInt64] = [1]
    var files = [try Self.full(1, 1)]
    for _ in 0..<30 {
      let last = positions[positions.count - 1]
      let next = last + UInt64.random(in: 0...4, using: &chance)
      positions.append(next)
      let number = files.count + 1
      files.append(try Self.changes(number, last, next))
      if chance.one(in: 6) { files.append(try Self.full(number + 1, next)) }
    }
    files.append(try Self.full(files.count + 1, positions[positions.count - 1]))
    var folder: [ReplicationManifest] = []
    var position: UInt64?
    var arriving =
      files.filter { _ in !chance.one(in: 5) } + files.filter { _ in chance.one(in: 9) }
    arriving.shuffle(using: &chance)
    if let full = files.last { arriving.append(full) }
    for file in arriving {
      if !folder.contains(file) { folder.append(file) }
      folder.sort { $0.name.number < $1.name.number }
      works: while true {
        switch Self.step(folder, at: position) {
        case .apply(let done), .install(let done), .confirm(let done), .passOver(let done):
          let reached = done.checkpoint.checkpoint.position.number
          if Self.step(folder, at: position) != .passOver(done) {
            #expect(reached >= position ?? 0, "seed \(seed)")
            position = reached
          }
          folder.removeAll { $0 == done }
        case .wait, .idle: break works
        }
      }
    }
    #expect(position == positions.last, "seed \(seed)")
    #expect(folder.isEmpty, "seed \(seed)")
  }
}

struct ReplicationScheduleTests {
  private static let now = Samples.issuedAt
  private static let parameters = ExchangeParameters(
    version: 3, style: .files, window: .init(seconds: 600),
    files: .init(fullSeconds: 86_400, incrementalSeconds: 300))

  private static func due(
    position: UInt64, silence: Int64, sinceFull: Int64 = 1_000, version: Int = 3,
    epoch: Epoch = Samples.epoch
  ) -> [ReplicationName.Kind] {
    ReplicationSchedule(
      last: .init(
        epoch: epoch, position: Position(10), parametersVersion: version,
        writtenAt: now.adding(seconds: -silence)),
      lastFullAt: now.adding(seconds: -sinceFull)
    ).due(
      epoch: Samples.epoch, position: Position(position), parameters: parameters, asOf: now)
  }

  @Test func `an operator begins with a full file`() {
    #expect(
      ReplicationSchedule(last: nil, lastFullAt: nil).due(
        epoch: Samples.epoch, position: .start, parameters: Self.parameters, asOf: Self.now)
        == [.full])
  }

  @Test(
    arguments: [
      (10, 299, 1_000, []), (10, 599, 1_000, []), (10, 600, 1_000, [.incremental]),
      (11, 299, 1_000, []), (11, 300, 1_000, [.incremental]),
      (10, 1, 86_400, [.full]), (11, 1, 86_400, [.incremental, .full]),
      (9, 5_000, 100_000, []), (11, -100, 1_000, []),
    ] as [(UInt64, Int64, Int64, [ReplicationName.Kind])])
  func `changes come in time, silence is broken, and a full file follows its changes`(
    position: UInt64, silence: Int64, sinceFull: Int64, due: [ReplicationName.Kind]
  ) {
    #expect(Self.due(position: position, silence: silence, sinceFull: sinceFull) == due)
  }

  @Test func `other parameters and another epoch begin with a full file`() {
    #expect(Self.due(position: 11, silence: 1, version: 2) == [.incremental, .full])
    #expect(Self.due(position: 10, silence: 1, version: 2) == [.full])
    #expect(Self.due(position: 11, silence: 1, epoch: Samples.otherEpoch) == [.full])
  }
}

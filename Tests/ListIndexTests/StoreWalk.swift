import DeviceIdentity
import DeviceLists
import Simulation
import Testing

@testable import ListIndex

/// A store beside a model, and all that can happen to both.
struct StoreWalk {
  let folder: Folder
  let keepsLog: Bool
  var model: ListModel
  var index: ListIndex?
  var random: SeededGenerator

  init(seed: UInt64, keepsLog: Bool = true) throws {
    folder = try Folder()
    self.keepsLog = keepsLog
    random = SeededGenerator(seed: seed)
    model = ListModel(Samples.head())
    index = try Self.open(folder, keepsLog: keepsLog)
    try store.startEmpty(
      epoch: Samples.epoch, position: Position(0), issuedAt: Samples.now)
  }

  /// A process that another test is just starting may hold a copy of the former lock until it has
  /// become another program, so a refusal is asked again.
  static func open(_ folder: Folder, keepsLog: Bool = true) throws -> ListIndex {
    func open() -> Result<ListIndex, ListIndexError> {
      Result { () throws(ListIndexError) in
        try ListIndex(
          directory: folder / "list", registry: Samples.registry, content: .feed(Samples.feed),
          keepsLog: keepsLog)
      }
    }
    let opened = retried(within: 5) { () -> Result<ListIndex, ListIndexError>? in
      let opened = open()
      if case .failure(let error) = opened, error.code == .busy { return nil }
      return opened
    }
    return try (opened ?? open()).get()
  }

  var store: ListIndex {
    get throws { try #require(index) }
  }

  mutating func delta(_ count: Int) -> Delta {
    let after = model.head.position
    let changes = model.randomChanges(count, using: &random)
    // Some positions belong to other operators.
    model.head.position = Position(model.head.position.number + UInt64(random.below(3)))
    model.head.digests = model.digests
    return Delta(
      epoch: model.head.epoch, after: after, upTo: model.head.position,
      issuedAt: Samples.now, digest: model.digests.sum, changes: changes)
  }

  mutating func step() throws {
    switch random.below(9) {
    case 0: try store.compact()
    case 1: try reopen()
    case 2: try install()
    case 3: try hold()
    case 4: try repair()
    case 5: try checkpoint()
    case 6: try adopt()
    default:
      let delta = delta(random.below(30) + 1)
      try store.apply(delta)
    }
    try expectSame()
  }

  mutating func reopen() throws {
    index = nil
    if !keepsLog { return }
    index = try Self.open(folder, keepsLog: keepsLog)
    #expect(try store.notices.isEmpty)
  }

  mutating func install() throws {
    model.head.position = Position(UInt64(random.below(1000)))
    _ = model.randomChanges(20, using: &random)
    model.head.epoch = Epoch(using: &random)
    _ = try model.write(to: folder / "download")
    try store.install(snapshotFile: folder / "download")
    #expect(!FileSystem.exists(folder / "download"))
  }

  private mutating func hold() throws {
    if random.below(3) == 0 {
      model.held = [:]
      return try store.acceptHeld()
    }
    if random.below(3) == 0, let one = model.held.keys.first {
      model.held[one] = nil
      return try store.unhold([one])
    }
    let subjects = (0..<8).map { _ in Samples.subject(using: &random) }
    let after = model.head.position
    let span = HeldSpan(after: after, upTo: after.next)
    for subject in subjects where model.held[subject] == nil {
      model.held[subject] = HeldSubject(
        listed: model.listed[subject] ?? ListedClass(), span: span)
    }
    try store.hold(subjects.map { ($0, span) })
  }

  private mutating func repair() throws {
    let position = model.head.position
    let entries = model.randomChanges(3, using: &random)
    model.head.position = position
    let repaired = try store.repair(
      Repair(
        epoch: model.head.epoch, position: position, issuedAt: Samples.now, entries: entries))
    #expect(repaired.head.digest == model.digests.sum)
  }

  private mutating func checkpoint() throws {
    let issuedAt = try #require(store.current).head.issuedAt.adding(seconds: 60)
    let position = model.head.position
    try store.apply(
      Delta(
        epoch: model.head.epoch, after: position, upTo: position, issuedAt: issuedAt,
        digest: model.digests.sum, changes: []))
    #expect(try store.current?.head.issuedAt == issuedAt)
  }

  private mutating func adopt() throws {
    model.head.epoch = Epoch(using: &random)
    try store.adopt(model.head.epoch, digest: model.digests.sum, issuedAt: Samples.now)
  }

  mutating func expectSame() throws {
    model.expectSame(try #require(store.current), using: &random)
  }
}

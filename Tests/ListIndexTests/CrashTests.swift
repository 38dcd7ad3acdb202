import DeviceIdentity
import DeviceLists
import Glibc
import Simulation
import Testing

@testable import ListIndex

/// What a process is killed in, or denied, is done in a process of its own.
@Suite(.serialized) struct CrashTests {
  /// Delta `number` of a history that parent and child both know.
  private static func history(_ seed: UInt64) -> (ListModel, SeededGenerator) {
    (ListModel(Samples.head()), SeededGenerator(seed: seed))
  }

  private static func next(_ model: inout ListModel, _ random: inout SeededGenerator) -> Delta {
    let after = model.head.position
    let changes = model.randomChanges(random.below(12) + 1, using: &random)
    return Delta(
      epoch: Samples.epoch, after: after, upTo: model.head.position, issuedAt: Samples.now,
      digest: model.digests.sum, changes: changes)
  }

  private static func open(_ directory: String) throws -> ListIndex {
    try ListIndex(
      directory: directory, registry: Samples.registry, content: .feed(Samples.feed))
  }

  @Test(.enabled(if: ChildProcess.task != nil))
  func `child process`() throws {
    let task = try #require(ChildProcess.task)
    switch task.name {
    case "apply": try applyForever(task.directory)
    case "fill": try fillDisk(task.directory)
    default: Issue.record("no task \(task.name)")
    }
  }

  /// Applies, compacts and installs now and then, and says each position once it is acknowledged.
  private func applyForever(_ directory: String) throws {
    let index = try Self.open(directory)
    try index.startEmpty(epoch: Samples.epoch, position: .start, issuedAt: Samples.now)
    var (model, random) = Self.history(31)
    while true {
      let delta = Self.next(&model, &random)
      try index.apply(delta)
      ChildProcess.say("\(delta.upTo)")
      switch random.below(10) {
      case 0, 1: try index.compact(yielding: true)
      case 2:
        _ = try model.write(to: directory + ".new")
        try index.install(snapshotFile: directory + ".new")
      default: break
      }
    }
  }

  @Test(.enabled(if: ChildProcess.task == nil), arguments: 0..<24)
  func `after kill -9 nothing that was acknowledged is missing`(round: Int) throws {
    let folder = try Folder()
    let directory = folder / "list"
    let child = try ChildProcess(task: "apply", directory: directory, test: "CrashTests")
    let last = child.lastLine { $0 > 5 + round * 17 }
    child.kill()
    let rest = child.lastLine { _ in false }
    #expect(child.wait() == 128 + SIGKILL)
    let acknowledged = try #require(UInt64(rest ?? last ?? ""))
    let snapshot = try #require(try Self.open(directory).current)
    #expect(snapshot.head.position.number >= acknowledged)
    var (model, random) = Self.history(31)
    while model.head.position < snapshot.head.position {
      _ = Self.next(&model, &random)
      _ = random.below(10)
    }
    model.expectSame(snapshot, using: &random)
    try Self.damageNewest(in: directory, using: &random)
    model.expectSame(try #require(try Self.open(directory).current), using: &random)
  }

  /// The generation before has it all, too.
  private static func damageNewest(
    in directory: String, using random: inout SeededGenerator
  ) throws {
    let names = try FileSystem.names(in: directory)
    let generations = GenerationFiles.generations(.index, among: names).sorted()
    guard generations.count > 1, let newest = generations.last else { return }
    let path = GenerationFiles(directory, newest).index
    var bytes = try contents(path)
    bytes[random.below(512)] ^= 1
    try FileSystem.replace(path, with: bytes)
  }

  /// With no room for files beyond a size, as on a full disk.
  private func fillDisk(_ directory: String) throws {
    signal(SIGXFSZ, SIG_IGN)
    let index = try Self.open(directory)
    try index.startEmpty(epoch: Samples.epoch, position: .start, issuedAt: Samples.now)
    var (model, random) = Self.history(32)
    var refusals = 0
    for step in 0..<120 {
      let delta = Self.next(&model, &random)
      let size = try contents(directory + "/1.log").count
      if step % 3 == 2 {
        try limit(UInt64(size + random.below(40)))
        let before = try #require(index.current)
        let error = #expect(throws: ListIndexError.self) { try index.apply(delta) }
        #expect(error?.code == .system(operation: "write to a file", errno: EFBIG))
        #expect(index.current === before)
        try limit(100)
        #expect(throws: ListIndexError.self) { try index.compact() }
        #expect(try contents(directory + "/1.log").count == size)
        #expect(try FileSystem.names(in: directory).sorted() == ["1.index", "1.log", "lock"])
        try limit(.max)
        refusals += 1
      }
      try index.apply(delta)
      if step % 40 == 39 { model.expectSame(try #require(index.current), using: &random) }
    }
    ChildProcess.say("\(refusals) \(model.head.position)")
  }

  private func limit(_ byteCount: UInt64) throws {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    limit.rlim_cur = rlim_t(byteCount)
    try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
  }

  @Test(.enabled(if: ChildProcess.task == nil))
  func `on a full disk a change is refused, answers go on, and later changes are taken`() throws {
    let folder = try Folder()
    let directory = folder / "list"
    let child = try ChildProcess(task: "fill", directory: directory, test: "CrashTests")
    let said = child.lastLine { _ in false }
    #expect(child.wait() == 0)
    let words = try #require(said).split(separator: " ")
    #expect(words.first == "40")
    let index = try Self.open(directory)
    #expect(index.notices.isEmpty)
    #expect(index.current?.head.position.description == words.last.map(String.init))
  }
}

import DeviceLists
import ListExchange
import ListIndex
import Logging
import NIOPosix

/// Takes the files that have come, one after the other, until it is cancelled.
struct FilesLoop: Sendable {
  let settings: FilesSettings
  let registry: RegistryName
  let feed: Feed
  let keeper: ListKeeper
  let threads: NIOThreadPool
  let logger: Logger
  let state: FilesState
  /// Throws for what nobody or a stranger has signed.
  let prove: @Sendable (SignedCheckpoint) async throws -> Void
  /// Asks the registry for a file again; nil where it cannot be asked by HTTP.
  let wantAgain: (@Sendable (FileNumber) async throws -> Void)?
  /// Nil where nothing is handed over by files.
  let outgoing: OutgoingFiles?
  /// Nil where sightings go by HTTP.
  var sightings: SightingLoop?

  /// Numbers that are asked for again at once.
  private static let mostResends = 100

  private var folder: MirrorFolder { MirrorFolder(path: settings.directory, done: settings.done) }
  private var lastPath: String { keeper.directory + "/files.last" }

  /// What is remembered between two looks.
  private struct Memory {
    var last: FileNumber?
    var proved: [ReplicationName: ReplicationManifest] = [:]
    /// Asked for once; a later full file helps as well.
    var wanted: Set<FileNumber> = []
    /// After a start, too: what was to be said may have been cut.
    var isToAcknowledge = true
    /// The list is not what the registry says: only a full file helps.
    var needsFull = false
  }

  func run() async {
    var memory = Memory()
    var isPrepared = false
    while !Task.isCancelled {
      do {
        if !isPrepared {
          memory.last = try await prepare()
          isPrepared = true
        }
        while try await step(&memory) {
          if Task.isCancelled { return }
        }
        if memory.isToAcknowledge { try await acknowledge() }
        memory.isToAcknowledge = false
        if let outgoing { try await sightings?.handOver(by: outgoing) }
        state.wellAgain()
      } catch {
        guard !Task.isCancelled else { return }
        if state.failed("\(error)") {
          logger.warning(
            "files cannot be taken at present; answering from the list on disk, if any",
            metadata: ["reason": "\(String(reflecting: error))"])
        }
      }
      // Ends early only because the task is cancelled, which the loop looks at.
      try? await Task.sleep(for: .seconds(settings.pollSeconds))
    }
  }

  private func prepare() async throws -> FileNumber? {
    let last = try await threads.runIfActive {
      try folder.prepare()
      let bytes = try SmallFile.content(of: lastPath) ?? []
      let last = FileNumber(digits: String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self))
      if let last {
        try folder.finishRemoving(of: feed.ownOperator, in: registry, upTo: last)
      }
      return last
    }
    state.started(after: last)
    return last
  }

  /// One file at most. True if there may be more to do at once.
  private func step(_ memory: inout Memory) async throws -> Bool {
    let manifests = try await manifests(&memory)
    let head = keeper.current?.head
    if memory.needsFull, let full = manifests.last(where: { $0.name.kind == .full }),
      head.map({ full.checkpoint.checkpoint.position >= $0.position }) ?? true
    {
      return try await install(full, &memory)
    }
    switch ReplicationFollower.step(manifests, head: head, last: memory.last) {
    case .idle:
      _ = state.waits(for: memory.needsFull ? "a full file is needed" : nil)
      return false
    case .wait(let gap):
      try await wait(for: gap, &memory)
      return false
    case .passOver(let manifest): return try await finish(manifest, &memory)
    case .confirm(let manifest):
      let delta = ReceivedDelta(changes: [], checkpoint: manifest.checkpoint.checkpoint)
      return try await take(delta, of: manifest, &memory)
    case .apply(let manifest):
      guard !memory.needsFull else { return false }
      guard let changes = try await changes(of: manifest, &memory) else { return true }
      let delta = ReceivedDelta(changes: changes, checkpoint: manifest.checkpoint.checkpoint)
      return try await take(delta, of: manifest, &memory)
    case .install(let manifest): return try await install(manifest, &memory)
    }
  }

  // MARK: Reading

  /// Those that can be believed, in the order of their numbers; others are set aside.
  private func manifests(_ memory: inout Memory) async throws -> [ReplicationManifest] {
    let names = try await threads.runIfActive {
      try folder.replications(of: feed.ownOperator, in: registry)
    }
    memory.proved = memory.proved.filter { names.contains($0.key) }
    var manifests: [ReplicationManifest] = []
    for name in names {
      if let known = memory.proved[name] {
        manifests.append(known)
        continue
      }
      do {
        let manifest = try await threads.runIfActive { try folder.manifest(name) }
        try await prove(manifest.checkpoint)
        memory.proved[name] = manifest
        manifests.append(manifest)
      } catch let error where Self.isRefusal(error) {
        try await setAside(name, because: error, &memory)
      }
    }
    return manifests
  }

  /// Nil where the file was set aside.
  private func changes(
    of manifest: ReplicationManifest, _ memory: inout Memory
  ) async throws -> [Change]? {
    let reader = self.reader(of: manifest)
    do {
      return try await threads.runIfActive {
        var changes: [Change] = []
        try reader.read { rows throws(NodeError) in changes += rows }
        let checkpoint = manifest.checkpoint.checkpoint
        guard changes.first.map({ $0.position > checkpoint.after }) ?? true,
          changes.last.map({ $0.position <= checkpoint.position }) ?? true
        else { throw NodeError(ExchangeError(.wrongOrder, "positions beyond the checkpoint's")) }
        return changes
      }
    } catch let error where Self.isRefusal(error) {
      try await setAside(manifest.name, because: error, &memory)
      return nil
    }
  }

  private func reader(of manifest: ReplicationManifest) -> ReplicationReader {
    ReplicationReader(manifest: manifest, path: "\(settings.directory)/\(manifest.dataFile)")
  }

  private static func isRefusal(_ error: any Error) -> Bool {
    if error is ExchangeError { return true }
    if case .refused? = (error as? NodeError)?.code { return true }
    return false
  }

  private func setAside(
    _ name: ReplicationName, because error: any Error, _ memory: inout Memory
  ) async throws {
    // What comes under this name now has a manifest of its own.
    memory.proved[name] = nil
    logger.warning(
      "a file cannot be believed and is set aside",
      metadata: ["file": "\(name.stem)", "reason": "\(error)"])
    try await threads.runIfActive { try folder.setAside(name) }
    state.foundDamage()
  }

  // MARK: Taking

  private func take(
    _ delta: ReceivedDelta, of manifest: ReplicationManifest, _ memory: inout Memory
  ) async throws -> Bool {
    let progress = try await threads.runIfActive {
      try keeper.takeBroadcast(delta, asOf: .now())
    }
    switch progress {
    case .next(.takeSnapshot(.tooManyToHold)):
      // A later list may be without it. It is tried again as it is, for settings may change.
      guard
        let full = try await manifests(&memory).last(where: { other in
          other.name.kind == .full
            && other.checkpoint.checkpoint.position > delta.checkpoint.position
        })
      else { throw keeper.tooManyToHold() }
      return try await install(full, &memory)
    case .next(.takeSnapshot(let reason)):
      // Looked at again at once only where something has changed by it.
      let isNews = !memory.needsFull
      memory.needsFull = true
      if state.waits(for: "a full file is needed: \(reason)") {
        logger.warning("the list needs a full file", metadata: ["reason": "\(reason)"])
      }
      return isNews
    case .next(.goOn(let error)):
      try await setAside(manifest.name, because: error, &memory)
      return true
    default: return try await finish(manifest, &memory)
    }
  }

  private func install(
    _ manifest: ReplicationManifest, _ memory: inout Memory
  ) async throws -> Bool {
    let reader = self.reader(of: manifest)
    let path = keeper.directory + "/files-full.index"
    let checkpoint = manifest.checkpoint.checkpoint
    do {
      let progress = try await threads.runIfActive {
        var index = try FullFileIndex(path: path)
        try reader.read { rows throws(NodeError) in
          for row in rows { try index.append(row) }
        }
        try index.finish(checkpoint)
        return try keeper.install(indexFile: path, provenBy: checkpoint, asOf: .now())
      }
      if case .installed = progress {
        logger.notice(
          "a full file was installed", metadata: ["position": "\(checkpoint.position)"])
      }
    } catch let error where Self.isRefusal(error) {
      try await setAside(manifest.name, because: error, &memory)
      return true
    }
    memory.needsFull = false
    return try await finish(manifest, &memory)
  }

  private func finish(
    _ manifest: ReplicationManifest, _ memory: inout Memory
  ) async throws -> Bool {
    let number = max(manifest.name.number, memory.last ?? .first)
    try await threads.runIfActive {
      try SmallFile.replace(lastPath, with: Array("\(number)\n".utf8))
      if let next = number.next { try folder.wantsNext(next) }
      try folder.finish(manifest.name)
    }
    memory.last = number
    memory.proved[manifest.name] = nil
    memory.wanted = memory.wanted.filter { $0 > number }
    memory.isToAcknowledge = true
    state.took(number)
    return true
  }

  // MARK: Speaking

  private func wait(
    for gap: ReplicationFollower.Gap, _ memory: inout Memory
  ) async throws {
    if state.waits(for: gap.description) {
      logger.warning("files are missing", metadata: ["gap": "\(gap)"])
    }
    guard let missing = gap.missing else { return }
    var wanted: [FileNumber] = []
    var number: FileNumber? = missing.lowerBound
    while let next = number, next <= missing.upperBound, wanted.count < Self.mostResends {
      if !memory.wanted.contains(next) { wanted.append(next) }
      number = next.next
    }
    guard !wanted.isEmpty else { return }
    if let wantAgain {
      for number in wanted { try await wantAgain(number) }
    } else if let outgoing {
      let records = wanted.map { InboundRecord.resend($0) }
      try await threads.runIfActive { try outgoing.write(.resend, records) }
    }
    memory.wanted.formUnion(wanted)
  }

  /// Says where the list stands now, where that is not said by HTTP.
  private func acknowledge() async throws {
    guard wantAgain == nil, let outgoing, let list = keeper.current else { return }
    let acknowledgement = Acknowledgement(
      standing: Standing(list.head), held: list.held.count)
    try await threads.runIfActive {
      try outgoing.write(.acknowledgement, [.acknowledgement(acknowledgement)])
    }
  }
}

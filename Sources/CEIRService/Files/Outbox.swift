import Crypto
import DeviceLists
import Glibc
import ListExchange
import ListIndex
import Logging
import NIOPosix
import RegistryStore

/// The files of one operator: writes those that are due, shows them, and shows lost ones again.
///
/// A file gets its number when the store has noted it, and is whole and durable in `work` by then.
/// From there it moves into the archive, and gets its name in the outbox: whatever is interrupted
/// is found again by what lies where, and nothing is written twice under one number.
struct Outbox: Sendable {
  /// Rows of the journal that are read at a time.
  static let journalLimit = 10_000
  /// Marks that are older are known to every node that is not lost.
  static let oldestMarkSeconds: Int64 = 7 * 86_400

  /// Files that are removed in one pass.
  static let mostRemovals = 1_000

  let code: OperatorCode
  let number: ScopeNumber
  let folder: OperatorFolder
  let registry: RegistryName
  let store: RegistryStore
  let logger: Logger

  // MARK: What is due

  /// Finishes what was interrupted, then writes what is due. Returns how many files were written.
  func work(
    _ feed: FileFeed, parameters: ExchangeParameters, signer: CheckpointSigner, asOf now: Instant
  ) async throws -> Int {
    let (last, lastFull) = try await store.read { registry in
      (
        try await registry.lastReplication(of: code),
        try await registry.lastFullReplication(of: code)?.record
      )
    }
    let isWhole = try await finishInterrupted(last)
    let schedule = ReplicationSchedule(
      last: try last.map { last in
        ReplicationSchedule.Last(
          epoch: last.epoch, position: last.upTo, parametersVersion: last.parametersVersion,
          writtenAt: try last.issuedAt)
      }, lastFullAt: isWhole ? try lastFull?.issuedAt : nil)
    var kinds = schedule.due(
      epoch: feed.epoch, position: feed.position, parameters: parameters, asOf: now)
    var previous = last
    var written = 0
    while !kinds.isEmpty {
      let kind = kinds.removeFirst()
      let made = try await write(
        kind, feed, after: previous, parameters: parameters, signer: signer, asOf: now)
      if let made {
        previous = made
        written += 1
      } else if !kinds.contains(.full) {
        kinds.append(.full)
      }
    }
    return written
  }

  /// Nil where the changes can no longer be told one by one, so that only a full file helps.
  private func write(
    _ kind: ReplicationName.Kind, _ feed: FileFeed, after previous: ReplicationRecord?,
    parameters: ExchangeParameters, signer: CheckpointSigner, asOf now: Instant
  ) async throws -> ReplicationRecord? {
    let next = try await nextNumber(after: previous)
    let name = ReplicationName(
      registry: registry, operatorCode: code, number: next, kind: kind)
    let compression = parameters.files?.compression ?? .none
    let path = "\(folder.work)/\(name.data(compression))"
    let text = try await blocking { try ReplicationText(path, kind, compression) }
    let after = kind == .full ? .start : previous?.upTo ?? .start
    switch kind {
    case .full:
      try await blocking {
        var entries = feed.entries(of: code)
        while let entry = entries.next() {
          try text.append { $0.append(entry.subject, entry.scope, entry.entryClass) }
        }
      }
    case .incremental:
      guard try await appendChanges(to: text, after: after, upTo: feed.position) else { return nil }
    }
    let (textHash, seal) = try await blocking { try text.finish() }
    let checkpoint = Checkpoint(
      registry: registry, epoch: feed.epoch, feed: Feed(of: code), after: after,
      position: feed.position, digest: feed.digest, contentHash: textHash, issuedAt: now,
      massMarks: try await marks(after: after, upTo: feed.position))
    let manifest = ReplicationManifest(
      name: name, file: seal, records: text.records, parametersVersion: parameters.version,
      checkpoint: try SignedCheckpoint(checkpoint, by: signer))
    return try await note(manifest)
  }

  /// False where the journal no longer reaches back, or there are too many.
  private func appendChanges(
    to text: ReplicationText, after start: Position, upTo end: Position
  ) async throws -> Bool {
    var reached = start
    while reached < end {
      let after = reached
      let delta = try await store.read {
        try await $0.delta(of: number, after: after, limit: Self.journalLimit)
      }
      guard let delta, delta.upTo > after else { return false }
      try await blocking {
        for row in delta.changes where row.position <= end {
          let scope: Scope = row.scope == .all ? .all : .only(code)
          try text.append {
            $0.append(
              Change(
                position: row.position, subject: row.subject, scope: scope,
                entryClass: row.entryClass))
          }
        }
      }
      guard text.records <= FileLimits.mostChanges else { return false }
      reached = delta.upTo
    }
    return true
  }

  private func marks(after: Position, upTo: Position) async throws -> [MassMark] {
    try await store.read { try await $0.massMarks(youngerThan: Self.oldestMarkSeconds) }
      .filter { $0.upTo > after && $0.upTo <= upTo }
      .map { MassMark(run: $0.run, after: $0.after, upTo: $0.upTo, blacks: $0.blacks) }
  }

  /// Above those that the store knows and those that lie here: a restored database has forgotten
  /// numbers that operators have seen.
  private func nextNumber(after previous: ReplicationRecord?) async throws -> FileNumber {
    let shown = try await blocking {
      try Folder.names(folder.archive).compactMap { ReplicationName(manifest: $0)?.number }.max()
    }
    let highest = max(Int(previous?.number ?? 0), shown?.number ?? 0)
    guard let next = FileNumber(highest + 1) else {
      throw StoreError(.unfit, "The operator \(code) has had as many files as can be numbered.")
    }
    return next
  }

  // MARK: Noting and showing

  private func note(_ manifest: ReplicationManifest) async throws -> ReplicationRecord {
    let checkpoint = manifest.checkpoint.checkpoint
    let record = ReplicationRecord(
      number: Int64(manifest.name.number.number),
      kind: manifest.name.kind == .full ? .full : .incremental, fileName: manifest.dataFile,
      bytes: Int64(manifest.file.bytes), sha256: manifest.file.sha256.bytes,
      records: Int64(manifest.records), parametersVersion: manifest.parametersVersion,
      epoch: checkpoint.epoch, after: checkpoint.after, upTo: checkpoint.position,
      manifest: String(decoding: manifest.json, as: UTF8.self))
    try await blocking { try Folder.synchronize(folder.work) }
    try await store.write { try await $0.record(record, of: code) }
    _ = try await show(record)
    logger.info(
      "A file was written for an operator.",
      metadata: [
        "file": "\(record.fileName)", "records": "\(record.records)",
        "position": "\(record.upTo)",
      ])
    return record
  }

  /// Puts a noted file, wherever it lies, into the archive and the outbox: the data file first.
  /// False where it is kept no more.
  func show(_ record: ReplicationRecord) async throws -> Bool {
    let isKept = try await blocking {
      let (staged, kept) = (
        "\(folder.work)/\(record.fileName)", "\(folder.archive)/\(record.fileName)"
      )
      if !Folder.exists(kept) {
        guard try isStaged(record, at: staged) else { return false }
        try Folder.move(staged, to: kept)
      }
      let manifest = "\(folder.archive)/\(record.manifestName)"
      if !Folder.exists(manifest) {
        let new = "\(folder.work)/\(record.manifestName)"
        try NewFile.write(Array(record.manifest.utf8), to: new)
        try Folder.move(new, to: manifest)
      }
      try Folder.synchronize(folder.archive)
      for name in [record.fileName, record.manifestName] {
        try Folder.link("\(folder.archive)/\(name)", to: "\(folder.outbox)/\(name)")
        try Folder.synchronize(folder.outbox)
      }
      return true
    }
    try await store.write { registry in
      if isKept {
        try await registry.publishReplication(of: code, number: record.number)
      } else {
        try await registry.removeReplication(of: code, number: record.number)
      }
    }
    return isKept
  }

  /// Shows files again that have their number and may not have been shown, and removes what was
  /// begun and has none. False where the newest file is lost: a full one must take its place.
  private func finishInterrupted(_ last: ReplicationRecord?) async throws -> Bool {
    let unpublished = try await store.read { try await $0.unpublishedReplications(of: code) }
    for record in unpublished where try await !show(record) {
      logger.error(
        "A file of an operator is lost before it was shown.",
        metadata: ["file": "\(record.fileName)"])
    }
    return try await blocking {
      for name in try Folder.names(folder.work) where !name.hasPrefix(Inbox.workPrefix) {
        try Folder.remove("\(folder.work)/\(name)")
      }
      return last.map { Folder.exists("\(folder.archive)/\($0.fileName)") } ?? true
    }
  }

  /// Whether what lies in `work` is what the store has noted.
  private func isStaged(_ record: ReplicationRecord, at path: String) throws -> Bool {
    guard let source = try OpenFile(path) else { return false }
    var hash = SHA256()
    while let piece = try source.next() { hash.update(data: piece) }
    return Array(hash.finalize()) == record.sha256
  }

  /// Removes files that were written before `cutoff`, but for the newest full one and what follows.
  func removeOld(before cutoff: Instant) async throws {
    let (old, kept) = try await store.read { registry in
      (
        try await registry.replications(
          of: code, madeBefore: cutoff, limit: Self.mostRemovals),
        try await registry.lastFullReplication(of: code)?.record.number
      )
    }
    for record in old where record.number < kept ?? 0 {
      try await blocking {
        // The manifest goes first: where it lies, its file is complete.
        for folder in [folder.outbox, folder.archive] {
          try Folder.remove("\(folder)/\(record.manifestName)")
          try Folder.remove("\(folder)/\(record.fileName)")
        }
      }
      try await store.write {
        try await $0.removeReplication(of: code, number: record.number)
      }
    }
  }

  private func blocking<Value: Sendable>(
    _ work: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await NIOThreadPool.singleton.runIfActive(work)
  }
}

extension ReplicationRecord {
  /// When it was cut.
  fileprivate var issuedAt: Instant {
    get throws {
      try ReplicationManifest(json: Array(manifest.utf8)).checkpoint.checkpoint.issuedAt
    }
  }

  fileprivate var manifestName: String {
    ReplicationName.reading(data: fileName)?.name.manifest ?? fileName + ".json"
  }
}

extension ContentHash {
  /// The 32 bytes.
  var bytes: [UInt8] {
    let digits = Array(description.utf8).map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x61 + 10 }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}

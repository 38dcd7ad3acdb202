package import DeviceLists
package import ListExchange
package import NIOCore
package import RegistryStore

/// A delta as it is sent, with what it begins and ends with.
package struct EncodedDelta: Sendable {
  package let after: Position
  /// What a node must hold to begin here.
  package let digestAfter: ListDigest
  /// Where it leads.
  package let head: ListHead
  package let count: Int
  /// Whether the journal went on when it was read.
  package let isCut: Bool
  package let bytes: ByteBuffer

  package var reached: Standing { Standing(head) }
}

/// Reads and encodes deltas. Nodes of one operator that stand at one position share one: it is
/// read, encoded and signed once, however many ask.
package actor DeltaSource {
  /// Deltas that are kept for the next who asks.
  static let keptBytes = 32 << 20
  static let keptSeconds: Int64 = 5
  /// Marks of mass changes are carried so long: nodes that were away hear of them, too.
  static let markSeconds: Int64 = 30 * 86_400

  private struct Key: Hashable {
    let scope: ScopeNumber
    let epoch: Epoch
    let after: Position
    let limit: Int
  }

  private let store: RegistryStore
  private let registry: RegistryName
  private let signer: RegistrySigner
  private let metrics: CEIRMetrics
  private var kept: [(key: Key, delta: EncodedDelta)] = []
  private var reading: [Key: Task<EncodedDelta?, any Error>] = [:]
  private var head: Task<JournalHead, any Error>?
  private var nextHead: Task<JournalHead, any Error>?

  package init(
    store: RegistryStore, registry: RegistryName, signer: RegistrySigner, metrics: CEIRMetrics
  ) {
    self.store = store
    self.registry = registry
    self.signer = signer
    self.metrics = metrics
  }

  /// Where the journal stands, read after this call began. Who asks at once shares a reading.
  package func journalHead() async throws -> JournalHead {
    if let nextHead { return try await nextHead.value }
    let before = head
    let task = Task {
      // Whether the reading before has failed is for those to hear who wait for it.
      _ = await before?.result
      self.nextHeadBegins()
      return try await self.store.read { try await $0.journalHead() }
    }
    nextHead = task
    return try await task.value
  }

  private func nextHeadBegins() {
    head = nextHead
    nextHead = nil
  }

  /// The changes of a feed after a position, in whole batches of at most `limit` rows of the
  /// journal; nil where the journal no longer reaches back so far.
  package func delta(
    of node: KnownNode, after: Position, limit: Int, at head: JournalHead
  ) async throws -> EncodedDelta? {
    let key = Key(scope: node.scope, epoch: head.epoch, after: after, limit: limit)
    if let found = kept.last(where: { $0.key == key })?.delta,
      found.head.position >= head.position || found.isCut,
      Instant.now.seconds(since: found.head.issuedAt) < Self.keptSeconds
    {
      return found
    }
    if let reading = reading[key] { return try await reading.value }
    let (store, registry, signer) = (store, registry, try signer.current)
    let task = Task.detached {
      try await Self.read(
        key, feed: node.feed, from: store, registry: registry, signer: signer)
    }
    reading[key] = task
    defer { reading[key] = nil }
    let delta = try await task.value
    if let delta { keep(delta, key) }
    return delta
  }

  private func keep(_ delta: EncodedDelta, _ key: Key) {
    kept.removeAll { $0.key == key }
    kept.append((key, delta))
    var bytes = kept.reduce(0) { $0 + $1.delta.bytes.readableBytes }
    while bytes > Self.keptBytes, let oldest = kept.first {
      bytes -= oldest.delta.bytes.readableBytes
      kept.removeFirst()
    }
  }

  private static func read(
    _ key: Key, feed: Feed, from store: RegistryStore, registry: RegistryName,
    signer: CheckpointSigner
  ) async throws -> EncodedDelta? {
    let found = try await store.read { registry in
      let head = try await registry.journalHead()
      guard head.epoch == key.epoch else {
        throw ExchangeProblemError(.epochChanged, head: head)
      }
      let delta = try await registry.delta(of: key.scope, after: key.after, limit: key.limit)
      let digest = try await registry.digest(of: key.scope, at: key.after)
      let marks = try await registry.massMarks(youngerThan: markSeconds)
      return (delta: delta, digest: digest, marks: marks, end: head.position)
    }
    guard let delta = found.delta else { return nil }
    let head = ListHead(
      epoch: key.epoch, position: delta.upTo, digest: delta.digest, issuedAt: .now)
    var encoder = DeltaEncoder(after: key.after)
    for row in delta.changes {
      encoder.append(
        Change(
          position: row.position, subject: row.subject,
          scope: row.scope == .all ? .all : .only(feed.ownOperator),
          entryClass: row.entryClass))
    }
    let bytes = try encoder.finish(
      registry: registry, feed: feed, head: head, massMarks: found.marks.map(MassMark.init),
      signer: signer)
    return EncodedDelta(
      after: key.after, digestAfter: found.digest, head: head, count: delta.changes.count,
      isCut: delta.upTo < found.end, bytes: ByteBuffer(bytes: bytes))
  }
}

extension MassMark {
  init(_ record: MassMarkRecord) {
    self.init(run: record.run, after: record.after, upTo: record.upTo, blacks: record.blacks)
  }
}

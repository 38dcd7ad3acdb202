import Crypto
import DeviceIdentity
import DeviceLists
import ListExchange
import ListIndex

/// A whole registry as a value: a journal over several operators, and what each feed is at each
/// position, kept the naive way.
struct SmallRegistry: Sendable {
  static let name = RegistryName("demo")!
  static let alpha = OperatorCode("alpha")!
  static let beta = OperatorCode("beta")!
  static let feed = Feed(of: alpha)

  private(set) var epoch = Epoch(high: 1, low: 1)
  private(set) var journal: [Change] = []
  /// The feed of alpha at each position, the start included.
  private var digests: [ListDigest] = [.zero]
  private(set) var list: [Subject: ListedClass] = [:]
  /// Changes up to here are forgotten.
  var horizon = Position.start
  var issuedAt = Instant("2026-11-23T06:00:00Z")!
  var mostChanges = 50
  var marks: [MassMark] = []
  /// Nil for a registry that signs nothing.
  var signer: CheckpointSigner? = TestAuthority.shared.signer

  var position: Position { Position(UInt64(journal.count)) }
  var digest: ListDigest { digests[journal.count] }

  mutating func commit(_ subject: Subject, scope: Scope = .all, _ entryClass: EntryClass?) {
    let change = Change(
      position: position.next, subject: subject, scope: scope, entryClass: entryClass)
    var digest = digests[journal.count]
    if Self.feed.contains(scope) {
      var listed = list[subject] ?? ListedClass()
      let before = scope == .all ? listed.all : listed.own
      if let before { digest -= Entry(subject: subject, scope: scope, entryClass: before).digest }
      if let entryClass {
        digest += Entry(subject: subject, scope: scope, entryClass: entryClass).digest
      }
      listed.replace(scope, with: entryClass)
      list[subject] = listed.isEmpty ? nil : listed
    }
    journal.append(change)
    digests.append(digest)
  }

  /// A restored backup: the journal ends at `position`, and a new epoch begins.
  mutating func restore(to position: Position, epoch: Epoch) {
    let kept = journal.prefix(Int(position.number))
    var restored = SmallRegistry()
    for change in kept { restored.commit(change.subject, scope: change.scope, change.entryClass) }
    journal = restored.journal
    digests = restored.digests
    list = restored.list
    self.epoch = epoch
  }

  /// What a registry that has lost its last rows without noticing would say.
  mutating func lose(after position: Position) {
    let epoch = epoch
    restore(to: position, epoch: epoch)
  }

  func answer(_ question: ChangesRequest) -> Result<[UInt8], RegistryRefusal> {
    func refusal(_ code: ExchangeCode) -> Result<[UInt8], RegistryRefusal> {
      .failure(
        RegistryRefusal(
          problem: ExchangeProblem(ExchangeError(code), epoch: epoch, position: position)))
    }
    guard question.epoch == epoch else { return refusal(.epochChanged) }
    guard question.after <= position else { return refusal(.nodeAhead) }
    guard question.after >= horizon else { return refusal(.beforeHorizon) }
    guard question.digest == digests[Int(question.after.number)] else {
      return refusal(.digestDiffers)
    }
    return .success(delta(after: question.after))
  }

  func delta(after: Position, upTo limit: Position? = nil) -> [UInt8] {
    var encoder = DeltaEncoder(after: after)
    var upTo = limit ?? position
    var count = 0
    for change in journal[Int(after.number)..<Int(upTo.number)]
    where Self.feed.contains(change.scope) {
      encoder.append(change)
      count += 1
      if count == mostChanges {
        upTo = change.position
        break
      }
    }
    let head = ListHead(
      epoch: epoch, position: upTo, digest: digests[Int(upTo.number)], issuedAt: issuedAt)
    guard let signer else {
      return encoder.finish(registry: Self.name, feed: Self.feed, head: head)
    }
    do {
      return try encoder.finish(
        registry: Self.name, feed: Self.feed, head: head, massMarks: marks, signer: signer)
    } catch {
      preconditionFailure("a checkpoint cannot be signed: \(error)")
    }
  }

  /// What the feed of alpha adds up to at a position.
  func digest(at position: Position) -> ListDigest { digests[Int(position.number)] }

  /// The list in the order of files and indexes.
  var ordered: [(key: Subject, value: ListedClass)] {
    list.sorted { left, right in
      let (one, two) = (left.key, right.key)
      return (one.kind.rawValue, one.keys.first, one.keys.second)
        < (two.kind.rawValue, two.keys.first, two.keys.second)
    }
  }

  /// The present list as an index file with its checkpoint.
  ///
  /// - Parameters: as which registry's and which feed's it is given out.
  func writeSnapshot(
    to path: String, as name: RegistryName = name, feed: Feed = feed
  ) throws(ListIndexError) {
    let writer = try IndexFileWriter(path: path)
    var digests = ScopeDigests()
    for (subject, listed) in ordered {
      try writer.append(subject, listed)
      if let all = listed.all {
        digests.all += Entry(subject: subject, scope: .all, entryClass: all).digest
      }
      if let own = listed.own {
        digests.own += Entry(subject: subject, scope: .only(Self.alpha), entryClass: own).digest
      }
    }
    let head = IndexHead(
      registry: name, content: .feed(feed), epoch: epoch, position: position,
      digests: digests, issuedAt: issuedAt)
    _ = try writer.finish(head: head) { sha256 in
      trailer(
        Checkpoint(
          registry: name, epoch: epoch, feed: feed, after: .start, position: position,
          digest: digests.sum, contentHash: ContentHash(bytes: sha256), issuedAt: issuedAt,
          massMarks: marks))
    }
  }
}

extension SmallRegistry {
  private func trailer(_ checkpoint: Checkpoint) -> [UInt8] {
    guard let signer, let signed = try? SignedCheckpoint(checkpoint, by: signer) else {
      return checkpoint.json
    }
    return signed.json
  }
}

struct RegistryRefusal: Error {
  let problem: ExchangeProblem
}

// MARK: - Chance

extension SmallRegistry {
  static let classes: [EntryClass?] = [
    nil, nil,
    EntryClass(status: .black, codes: .init(.stolen), isOverridable: false),
    EntryClass(status: .black, codes: .init(.duplicate)),
    EntryClass(status: .grey, codes: .init(.ownershipClaim)),
    EntryClass(status: .white, codes: .init(.registered)),
    EntryClass(status: .white, codes: .init(.protected)),
  ]

  /// Few subjects, so that they change again and again.
  static func subject(using chance: inout some RandomNumberGenerator) -> Subject {
    let imei = IMEI(number: 35_209_900_000_000 + .random(in: 0..<40, using: &chance))!
    switch UInt8.random(in: 0..<8, using: &chance) {
    case 0: return .tac(TAC(number: 35_209_900 + .random(in: 0..<3, using: &chance))!)
    case 1:
      let last = IMEI(number: imei.number + .random(in: 0..<20, using: &chance))!
      return .range(IMEIRange(first: imei, last: last)!)
    case 2:
      let imsi = IMSI(packed: 15_001_010_000_000_000 + .random(in: 0..<5, using: &chance))!
      return .pairing(Pairing(imei: imei, imsi: imsi))
    default: return .imei(imei)
    }
  }

  mutating func commitSomething(using chance: inout some RandomNumberGenerator) {
    let scopes: [Scope] = [.all, .all, .only(Self.alpha), .only(Self.beta)]
    commit(
      Self.subject(using: &chance), scope: scopes.randomElement(using: &chance)!,
      Self.classes.randomElement(using: &chance)!)
  }
}

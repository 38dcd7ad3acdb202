import Crypto
import DeviceLists
import Glibc
import ListExchange
import Logging
import NIOPosix
import RegistryStore

/// The inbox of one operator: takes what is complete, in order, once, and answers it.
///
/// A file is copied before it is looked at, so that nobody can change what was judged. It takes
/// effect in the transaction that notes its number; the answer is written afterwards, and written
/// again whenever the file is found once more.
struct Inbox: Sendable {
  /// Things in the inbox that are looked at in one pass.
  static let mostNames = 10_000
  /// After so long in one pass no further file is begun: other operators have their turn.
  static let longestPass = Duration.seconds(2)
  /// How long a file waits for one with a lower number, or for its data, before this is said.
  static let patienceSeconds: Int64 = 3_600
  static let workPrefix = "inbound-"
  private static let refusedPrefix = "refused-"

  let code: OperatorCode
  let folder: OperatorFolder
  let store: RegistryStore
  let logger: Logger

  /// Looks once at everything. Returns how many files were processed.
  func work(asOf now: Instant) async throws -> Int {
    let names = try await blocking {
      try Folder.makeReadable(folder.inbox, most: Self.mostNames)
      return try Folder.names(folder.inbox, most: Self.mostNames)
    }
    let end = ContinuousClock.now + Self.longestPass
    var manifests: [InboundName] = []
    for name in names where ContinuousClock.now < end {
      if let read = InboundName(manifest: name) {
        if read.operatorCode == code {
          manifests.append(read)
        } else {
          try await refuseForeign(name, .wrongOperator, asOf: now)
        }
      } else if let (read, _) = InboundName.reading(data: name) {
        if read.operatorCode != code { try await refuseForeign(name, .wrongOperator, asOf: now) }
      } else {
        try await refuseForeign(name, .unknownName, asOf: now)
      }
    }
    var processed = 0
    for (node, found) in Dictionary(grouping: manifests, by: \.node).sorted(by: { $0.key < $1.key })
    {
      processed += try await work(
        found.sorted { $0.number < $1.number }, of: node, asOf: now, until: end)
    }
    return processed
  }

  private func work(
    _ found: [InboundName], of name: NodeName, asOf now: Instant,
    until end: ContinuousClock.Instant
  ) async throws -> Int {
    let known = try await store.read { registry in
      let node = try await registry.node(operator: code, name: name)
      guard let node else { return (NodeIdentity?.none, Int64(0)) }
      return (node, try await registry.lastInboundNumber(of: node))
    }
    guard let node = known.0 else {
      for name in found { try await refuse(name, .wrongOperator, "no such node", asOf: now) }
      return 0
    }
    var last = known.1
    var processed = 0
    for name in found where ContinuousClock.now < end {
      let number = Int64(name.number.number)
      if number > last + 1 {
        try await wait(name, asOf: now)
      } else if number <= last {
        try await answerAgain(name, of: node, asOf: now)
      } else if try await take(name, of: node, asOf: now) {
        last = number
        processed += 1
      }
    }
    return processed
  }

  // MARK: One file

  /// Whether it was processed; where it was not, its number stays free.
  private func take(
    _ name: InboundName, of node: NodeIdentity, asOf now: Instant
  ) async throws -> Bool {
    do {
      guard let inbound = try await blocking({ try copy(name, asOf: now) }) else { return false }
      let rows = try await blocking { try inbound.rows(in: folder) }
      let outcome = try await store.write(isLong: true) { registry in
        let outcome = try await InboundEffects(registry: registry, node: node, now: now)
          .apply(rows, of: name.kind)
        try await registry.record(inbound.record(outcome), of: node)
        return outcome
      }
      try await finish(
        inbound, taken: outcome.taken, outcome.refusals.count,
        RefusalFile.bytes(outcome.refusals))
      logger.info(
        "An operator's file was processed.",
        metadata: [
          "file": "\(name.stem)", "taken": "\(outcome.taken)",
          "refused": "\(outcome.refusals.count)",
        ])
      return true
    } catch let error as ExchangeError {
      try await refuse(name, error.code, error.detail, asOf: now)
      return false
    } catch let error as StoreError where error.code == .policyForbids {
      try await refuse(name, .notAllowed, error.description, asOf: now)
      return false
    }
  }

  /// The number was processed: the same content gets the same answer, another one is refused.
  private func answerAgain(
    _ name: InboundName, of node: NodeIdentity, asOf now: Instant
  ) async throws {
    let known = try await store.read {
      try await $0.inboundFile(of: node, number: Int64(name.number.number))
    }
    do {
      guard let inbound = try await blocking({ try copy(name, asOf: now) }) else { return }
      guard let known, known.kind.rawValue == name.kind.rawValue,
        known.sha256 == inbound.manifest.file.sha256.bytes
      else { throw ExchangeError(.numberReused) }
      try await finish(inbound, taken: known.taken, known.refused, known.response)
    } catch let error as ExchangeError {
      try await refuse(name, error.code, error.detail, asOf: now, keepsAnswer: true)
    }
  }

  /// The manifest and a copy of the data file that agrees with it; nil where the data file has not
  /// come yet.
  private func copy(_ name: InboundName, asOf now: Instant) throws -> InboundFile? {
    let path = "\(folder.inbox)/\(name.manifest)"
    guard let file = try plain(path, or: .manifestUnusable) else { return nil }
    guard let bytes = try file.whole(limit: FileLimits.longestManifestBytes) else {
      throw ExchangeError(.manifestUnusable, "over \(FileLimits.longestManifestBytes) bytes")
    }
    let manifest: InboundManifest
    do throws(ExchangeError) {
      manifest = try InboundManifest(json: bytes)
    } catch {
      throw ExchangeError(.manifestUnusable, error.detail)
    }
    guard manifest.name == name else {
      throw ExchangeError(.manifestUnusable, "it is not the manifest of a file of this name")
    }
    let source = "\(folder.inbox)/\(manifest.dataFile)"
    guard let data = try plain(source, or: .fileDiffers) else {
      guard now.secondsSinceEpoch - file.writtenAt < Self.patienceSeconds else {
        throw ExchangeError(.fileDiffers, "the data file has not come")
      }
      return nil
    }
    let inbound = InboundFile(manifest: manifest, manifestBytes: bytes)
    try inbound.copy(data, into: folder)
    return inbound
  }

  private func plain(_ path: String, or code: ExchangeCode) throws -> OpenFile? {
    do {
      return try OpenFile(path)
    } catch OpenFile.Fault.notAllowed {
      throw ExchangeError(code, "it cannot be read: its owner must let its group read it")
    } catch is OpenFile.Fault {
      throw ExchangeError(code, "a link, a folder or another thing that is no plain file")
    }
  }

  // MARK: Answering

  private func finish(
    _ inbound: InboundFile, taken: Int, _ refused: Int, _ refusals: [UInt8]
  ) async throws {
    let name = inbound.manifest.name
    let answer = InboundResponse(
      number: name.number, state: .processed, taken: taken, refused: refused)
    try await blocking {
      try respond(refusals, as: name.refusals)
      try respond(answer.json, as: name.response)
      try inbound.archive(in: folder)
      for file in [name.manifest, inbound.manifest.dataFile] {
        try Folder.remove("\(folder.inbox)/\(file)")
      }
    }
  }

  /// Moves the files away and says why. `keepsAnswer`: there is an answer under the file's own name
  /// already, which stays.
  private func refuse(
    _ name: InboundName, _ code: ExchangeCode, _ detail: String, asOf now: Instant,
    keepsAnswer: Bool = false
  ) async throws {
    logger.warning(
      "An operator's file was refused.",
      metadata: ["file": "\(name.stem)", "code": "\(code.rawValue)", "detail": "\(detail)"])
    let answer = InboundResponse(
      number: name.number, state: .refused, code: code, detail: detail)
    try await blocking {
      let response = keepsAnswer ? "refused-\(name.response)" : name.response
      try respond(answer.json, as: response)
      for file in [name.manifest] + FileCompression.allCases.map({ name.data($0) }) {
        try setAside(file, asOf: now)
        try Folder.remove("\(folder.work)/\(Self.workPrefix)\(file)")
      }
    }
  }

  private func wait(_ name: InboundName, asOf now: Instant) async throws {
    try await blocking {
      let path = "\(folder.inbox)/\(name.manifest)"
      guard let writtenAt = Folder.writtenAt(path),
        now.seconds(since: writtenAt) >= Self.patienceSeconds,
        !Folder.exists("\(folder.responses)/\(name.response)")
      else { return }
      let answer = InboundResponse(number: name.number, state: .waiting, code: .numberMissing)
      try respond(answer.json, as: name.response)
    }
  }

  private func refuseForeign(
    _ name: String, _ code: ExchangeCode, asOf now: Instant
  ) async throws {
    try await blocking {
      let shown = Folder.shown(name.utf8)
      try setAside(name, asOf: now)
      let answer = InboundResponse(
        number: nil, foreignName: shown, state: .refused, code: code)
      try respond(answer.json, as: "refused-\(shown).response.json")
      logger.warning(
        "Something that is no file of this operator was moved out of its inbox.",
        metadata: ["name": "\(shown)", "code": "\(code.rawValue)"])
    }
  }

  private func respond(_ bytes: [UInt8], as name: String) throws {
    let path = "\(folder.work)/\(Self.workPrefix)\(name)"
    try NewFile.write(bytes, to: path)
    try Folder.move(path, to: "\(folder.responses)/\(name)")
    try Folder.synchronize(folder.responses)
  }

  /// Into the archive, whatever it is, under a name that nothing there has.
  private func setAside(_ name: String, asOf now: Instant) throws {
    let source = "\(folder.inbox)/\(name)"
    guard Folder.exists(source) else { return }
    let base = "\(folder.archive)/\(Self.refusedPrefix)\(now.secondsSinceEpoch)"
    var place = 0
    while Folder.exists("\(base)-\(place)-\(Folder.shown(name.utf8))") { place += 1 }
    try Folder.move(source, to: "\(base)-\(place)-\(Folder.shown(name.utf8))")
    try Folder.synchronize(folder.archive)
  }

  /// Removes from the archive what operators had handed in before `cutoff`: it may hold
  /// subscribers. The answers stay.
  func removeOld(before cutoff: Instant) async throws {
    try await blocking {
      let old = try Folder.names(folder.archive, most: Self.mostNames) { name in
        try Self.handedIn(name, in: folder.archive).map { $0 < cutoff } ?? false
      }
      for name in old { try Folder.removeAny("\(folder.archive)/\(name)") }
    }
  }

  /// When something in the archive was taken in or refused; nil for a file of the registry.
  private static func handedIn(_ name: String, in archive: String) throws -> Instant? {
    if name.hasPrefix(refusedPrefix) {
      // The time of what was refused is whatever its owner has set.
      return Int64(name.dropFirst(refusedPrefix.count).prefix { $0 != "-" })
        .map(Instant.init(secondsSinceEpoch:))
    }
    guard InboundName(manifest: name) != nil || InboundName.reading(data: name) != nil else {
      return nil
    }
    return Folder.writtenAt("\(archive)/\(name)")
  }

  private func blocking<Value: Sendable>(
    _ work: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await NIOThreadPool.singleton.runIfActive(work)
  }
}

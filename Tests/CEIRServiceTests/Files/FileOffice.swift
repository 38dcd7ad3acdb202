import CEIRService
import Crypto
import DeviceIdentity
import DeviceLists
import ExchangeTrust
import Foundation
import GZip
import ListExchange
import Logging
import PostgreSQL
import RegistryStore
import Simulation
import Synchronization
import Testing

/// A registry with one operator that takes files, on a real database and real folders.
struct FileOffice {
  static let code = OperatorCode("alfa")!
  static let node = NodeName("eir-1")!
  static let registryName = RegistryName("XA")!

  let registry: TestRegistry
  let folder: String
  let lists: RegistryLists
  let exchange: FileExchange
  let key: P256.Signing.PrivateKey
  let metrics = CEIRMetrics()
  /// Whether there is a certificate to sign with.
  let hasSigner = Switch()

  final class Switch: Sendable {
    private let state = Mutex(true)

    var isOn: Bool {
      get { state.withLock { $0 } }
      set { state.withLock { $0 = newValue } }
    }
  }

  var store: RegistryStore { registry.store }
  var home: String { "\(folder)/files/\(Self.code)" }

  static func with(
    _ compression: FileCompression = .none,
    _ body: (FileOffice) async throws -> Void
  ) async throws {
    let registry = try await TestRegistry.make(
      connections: 4, publisherSetUp: Publisher.setUpStatements)
    let folder = try temporaryDirectory("ceir-files")
    do {
      let office = try await FileOffice(registry, folder, compression)
      try await body(office)
    } catch {
      await registry.close()
      throw error
    }
    await registry.close()
    try FileManager.default.removeItem(atPath: folder)
  }

  private init(
    _ registry: TestRegistry, _ folder: String,
    _ compression: FileCompression
  ) async throws {
    let key = P256.Signing.PrivateKey()
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    self.registry = registry
    self.folder = folder
    self.key = key
    for inner in ["lists", "lists/snapshots", "files"] {
      try FileManager.default.createDirectory(
        atPath: "\(folder)/\(inner)", withIntermediateDirectories: false)
    }
    lists = RegistryLists(
      store: registry.store, registry: Self.registryName, directory: "\(folder)/lists",
      journalBell: Bell(), metrics: CEIRMetrics(), logger: logger)
    exchange = FileExchange(
      settings: FileExchange.Settings(directory: "\(folder)/files"), registry: Self.registryName,
      store: registry.store, lists: lists, metrics: metrics, logger: logger
    ) { [hasSigner] in
      guard hasSigner.isOn else { throw TrustError(.missing, "the signer is gone") }
      return CheckpointSigner(key: key, certificates: [[1]])
    }
    try await registry.store.write { registry in
      try await registry.addOperator(
        Self.code, name: "Alfa", networks: [try PLMN("00101")], mode: .unknown, by: "test")
      _ = try await registry.addNode(named: Self.node, of: Self.code)
    }
    try await propose(
      ExchangeParameters(
        style: .files, window: .init(seconds: 600),
        files: .init(
          compression: compression, fullSeconds: 86_400, incrementalSeconds: 300)))
    try await publish()
  }

  func propose(_ parameters: ExchangeParameters) async throws {
    try await store.write { registry in
      let version = try await registry.proposeParameters(
        for: Self.code, style: .files, effectiveAfter: 0, by: "test"
      ) { version in
        var numbered = parameters
        numbered.version = version
        return String(decoding: numbered.json, as: UTF8.self)
      }
      try await registry.confirmParameters(version, of: Self.code, by: "test")
    }
  }

  func block(_ imeis: ClosedRange<UInt64>, scope: Scope = .all) async throws {
    for number in imeis {
      let imei = IMEI(number: 35_000_000_000_000 + number)!
      try await store.write {
        _ = try await $0.block(
          imei, with: NewGround(on: .imei(imei), scope: scope, code: .stolen, source: "test"),
          by: "test")
      }
    }
    try await publish()
  }

  func publish() async throws {
    try await registry.publisher.withConnection { connection in
      let head = try await RegistryTransaction(connection: connection).journalHead()
      var session = PublisherSession(head: head)
      while try await session.publishBatch(on: connection) > 0 {}
    }
    try await lists.catchUp()
  }

  /// One pass, `seconds` from now.
  func work(in seconds: Int64 = 0, removesOld: Bool = false) async throws {
    try await exchange.work(asOf: Instant.now.adding(seconds: seconds), removesOld: removesOld)
  }

  func head() async throws -> ListHead {
    try await store.read { try await $0.feedHeads().head(of: Self.code) }
  }

  // MARK: Files

  func names(_ inner: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(home)/\(inner)").sorted()
  }

  func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: "\(home)/\(path)")))
  }

  func manifests() throws -> [ReplicationManifest] {
    try names("outbox").filter { $0.hasSuffix(".json") }.map {
      try ReplicationManifest(json: try bytes("outbox/\($0)"))
    }.sorted { $0.name.number < $1.name.number }
  }

  /// The text of a replication, after everything that its manifest says has been compared.
  func rows(_ manifest: ReplicationManifest) throws -> [Change] {
    let packed = try bytes("outbox/\(manifest.dataFile)")
    #expect(packed.count == manifest.file.bytes)
    #expect(ContentHash(SHA256.hash(data: packed)) == manifest.file.sha256)
    let text =
      manifest.file.compression == .gzip ? try Self.restored(packed) : packed
    let checkpoint = manifest.checkpoint.checkpoint
    #expect(ContentHash(SHA256.hash(data: text)) == checkpoint.contentHash)
    try manifest.checkpoint.verify(with: key.publicKey)
    var reader = ListFileReader(manifest.name.kind, feed: Feed(of: Self.code))
    let rows = try reader.rows(in: text)
    try reader.finish()
    #expect(rows.count == manifest.records)
    return rows
  }

  static func restored(_ packed: [UInt8]) throws -> [UInt8] {
    let gzip = try GZipReader(limitBytes: 1 << 26)
    var text: [UInt8] = []
    gzip.supply(packed)
    while let piece = try gzip.next() { text += piece }
    try gzip.finish()
    return text
  }

  func put(_ bytes: [UInt8], _ path: String) throws {
    try Data(bytes).write(to: URL(filePath: "\(home)/\(path)"))
  }

  /// Puts a node's file into the inbox as the contract says, or with one thing wrong.
  @discardableResult
  func hand(
    _ number: Int, _ kind: InboundName.Kind, _ lines: [String],
    _ compression: FileCompression = .none, operatorCode: OperatorCode = code,
    node: NodeName = node, data: [UInt8]? = nil,
    change: (inout InboundManifest) -> Void = { _ in }
  ) throws -> InboundName {
    let name = InboundName(
      operatorCode: operatorCode, node: node, number: FileNumber(number)!, kind: kind)
    let text = ([kind.columns.joined(separator: ",")] + lines).joined(separator: "\n") + "\n"
    var packed = Array(text.utf8)
    if compression == .gzip {
      let gzip = try GZipWriter()
      packed = gzip.append(packed) + gzip.finish()
    }
    packed = data ?? packed
    var manifest = InboundManifest(
      name: name,
      file: FileSeal(
        compression: compression, bytes: packed.count,
        sha256: ContentHash(SHA256.hash(data: packed))),
      records: lines.count)
    change(&manifest)
    try put(packed, "inbox/\(name.data(compression))")
    try put(manifest.json, "inbox/\(name.manifest)")
    return name
  }

  func response(_ name: InboundName) throws -> InboundResponse {
    try InboundResponse(json: try bytes("responses/\(name.response)"))
  }

  func refusals(_ name: InboundName) throws -> String {
    String(decoding: try bytes("responses/\(name.refusals)"), as: UTF8.self)
  }
}

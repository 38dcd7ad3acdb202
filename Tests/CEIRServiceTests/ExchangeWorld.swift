import AsyncHTTPClient
import CEIRService
import DeviceIdentity
import DeviceLists
import ExchangeTrust
import Foundation
import ListExchange
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import PostgreSQL
import RegistryStore
import Simulation
import Synchronization
import Testing
import X509

/// A CEIR on a database of its own, with certificates made for it: real sockets, real TLS.
final class ExchangeWorld: Sendable {
  static let operators = ["alfa", "beta"]

  let directory: String
  let settings: CEIRSettings
  let authority: CertificateAuthority
  let store: RegistryStore
  let owner: PostgreSQLPool
  private let pool: PostgreSQLPool
  private let seat: Seat
  private let serving = Mutex<Task<Void, any Error>?>(nil)
  private let served = Mutex<ServedAddresses?>(nil)

  static func start(
    limits: NodeLimits = NodeLimits(), before: (ExchangeWorld) async throws -> Void = { _ in }
  ) async throws -> ExchangeWorld {
    let world = try await ExchangeWorld()
    try await before(world)
    try await world.serve(limits)
    return world
  }

  private init() async throws {
    seat = await Seat.take()
    directory = try temporaryDirectory("ceir-exchange")
    let database = try await TestCluster.shared.database()
    var settings = CEIRSettings()
    settings.dataDirectory = "\(directory)/ceir"
    settings.databaseURL = database.connectionString
    settings.httpPort = 0
    settings.exchangeListen = ListenAddress(host: "127.0.0.1", port: 0)
    settings.statusListen = ListenAddress(host: "127.0.0.1", port: 0)
    self.settings = settings
    let prepared = try await RegistryDatabase.open(settings)
    _ = try await prepared.prepare(settings)
    pool = prepared.pool(role: .service)
    owner = prepared.ownerPool()
    store = RegistryStore(pool: pool)
    try FileManager.default.createDirectory(
      atPath: settings.dataDirectory, withIntermediateDirectories: true)
    authority = try AuthorityFolder(directory: settings.certificateDirectory).make(
      registry: #require(RegistryName("XA")), hosts: HostName.loopback, asOf: .now)
    for (number, code) in Self.operators.enumerated() {
      try await store.write {
        try await $0.addOperator(
          #require(OperatorCode(code)), name: code, networks: [PLMN("0010\(number + 1)")],
          mode: .unknown, by: "test")
      }
    }
  }

  static let silent = {
    var logger = Logger(label: "ceir")
    logger.logLevel = .critical
    return logger
  }()

  private func serve(_ limits: NodeLimits) async throws {
    let server = CEIRServer(settings: settings, limits: limits, logger: Self.silent)
    let (ready, isReady) = AsyncStream.makeStream(of: ServedAddresses.self)
    let task = Task {
      defer { isReady.finish() }
      try await server.run { isReady.yield($0) }
    }
    serving.withLock { $0 = task }
    for await addresses in ready {
      served.withLock { $0 = addresses }
      return
    }
    try await task.value
  }

  func stop() async throws {
    let task = serving.withLock { $0 }
    task?.cancel()
    _ = await task?.result
    await pool.close()
    await owner.close()
    try FileManager.default.removeItem(atPath: directory)
  }

  var authorityFolder: AuthorityFolder {
    AuthorityFolder(directory: settings.certificateDirectory)
  }

  var exchangeURL: String {
    get throws { "https://\(try #require(served.withLock { $0?.exchange }))" }
  }

  var statusURL: String {
    get throws { "https://\(try #require(served.withLock { $0?.status }))" }
  }

  /// A number of `/metrics`.
  func metric(_ name: String) async throws -> Int? {
    let address = try #require(served.withLock { $0?.http })
    let client = HTTPClient(eventLoopGroupProvider: .singleton)
    let result: Result<String, any Error>
    do {
      let response = try await client.execute(
        HTTPClientRequest(url: "http://\(address)/metrics"), timeout: .seconds(20))
      result = .success(String(buffer: try await response.body.collect(upTo: 1 << 20)))
    } catch {
      result = .failure(error)
    }
    try await client.shutdown()
    let line = try result.get().split(separator: "\n").first { $0.hasPrefix(name + " ") }
    return line.flatMap { $0.split(separator: " ").last.flatMap { Int($0) } }
  }

  /// A node of an operator with a certificate of the registry.
  func node(_ code: String = "alfa", _ name: String = "eir-1") async throws -> TestNode {
    let role = PeerName.Role.node(
      try #require(OperatorCode(code)), try #require(NodeName(name)))
    let credential = try authority.issue(role, hosts: HostName.loopback, days: 90, asOf: .now)
    try await store.write { registry in
      try await registry.recordCertificate(
        serial: credential.leaf.serial.description,
        holder: .node(#require(OperatorCode(code)), #require(NodeName(name))),
        notBefore: credential.leaf.validFrom, notAfter: credential.leaf.validUntil, by: "test")
    }
    return try TestNode(
      role: role, credential: credential, root: authority.root,
      directory: "\(directory)/\(code)-\(name)-\(credential.leaf.serial)", url: exchangeURL)
  }

  func identity(_ code: String = "alfa", _ name: String = "eir-1") async throws -> NodeIdentity {
    let found = try await store.read { registry in
      try await registry.node(
        operator: #require(OperatorCode(code)), name: #require(NodeName(name)))
    }
    return try #require(found)
  }

  /// A node without a certificate.
  func identity(
    making name: String, of code: String = operators[0]
  ) async throws -> NodeIdentity {
    try await store.write { registry in
      try await registry.addNode(
        named: #require(NodeName(name)), of: #require(OperatorCode(code)))
    }
  }

  /// Blocks a device and returns where it was published.
  @discardableResult
  func block(_ imei: UInt64, scope: Scope = .all) async throws -> Position {
    let imei = try #require(IMEI(number: imei))
    let ground = NewGround(on: .imei(imei), scope: scope, code: .stolen, source: "test")
    let before = try await head().position
    let outcome = try await Registrar(store: store).decide(.block(ground), on: imei, by: "test")
    if let position = outcome.position { return position }
    try await eventually("the publication") { try await self.head().position > before }
    return try await head().position
  }

  func head(of code: String = "alfa") async throws -> ListHead {
    try await store.read { registry in
      try await registry.feedHeads().head(of: #require(OperatorCode(code)))
    }
  }
}

/// Speaks as a node does, or as a node should not.
final class TestNode: Sendable {
  let role: PeerName.Role
  let serial: CertificateSerial
  let files: TrustedFiles
  let directory: String
  let client: PeerClient
  private let url: String

  init(
    role: PeerName.Role, credential: Credential, root: Certificate, directory: String, url: String
  ) throws {
    self.role = role
    self.directory = directory
    self.url = url
    serial = credential.leaf.serial
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
    let stored = CredentialFiles(directory: directory, name: "node")
    try stored.create(credential, root: root)
    files = try TrustedFiles(stored)
    client = PeerClient(
      files: files, expecting: .ceir, group: MultiThreadedEventLoopGroup.singleton)
  }

  /// Also where a test has failed before its end.
  deinit {
    Task { [client] in try await client.shutdown() }
  }

  struct Answer {
    let status: Int
    let headers: [String: String]
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    var code: ExchangeCode? { (try? ExchangeProblem(json: body))?.error.code }
  }

  func send(
    _ method: String, _ path: String, _ body: String? = nil, type: String = ExchangePath.json,
    key: String? = nil, headers: [(String, String)] = [], base: String? = nil
  ) async throws -> Answer {
    let response = try await open(
      method, path, body, type: type, key: key, headers: headers, base: base)
    var answer: [UInt8] = []
    for try await piece in response.body { answer += piece.readableBytesView }
    return Answer(
      status: Int(response.status.code),
      headers: Dictionary(
        response.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $1 }),
      body: answer)
  }

  func open(
    _ method: String, _ path: String, _ body: String? = nil, type: String = ExchangePath.json,
    key: String? = nil, headers: [(String, String)] = [], base: String? = nil
  ) async throws -> HTTPClientResponse {
    var request = HTTPClientRequest(url: (base ?? url) + path)
    request.method = .RAW(value: method)
    if let body {
      request.body = .bytes(ByteBuffer(string: body))
      request.headers.add(name: "content-type", value: type)
    }
    if let key { request.headers.add(name: ExchangeHeader.idempotencyKey, value: key) }
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    return try await client.execute(request, deadline: .now() + .seconds(90))
  }

  /// `GET changes` from a place; every delta's signature must be the registry's.
  ///
  /// - Parameter goOn: asked after each piece whether to read on; the answer is cut off where not.
  func changes(
    from standing: Standing, wait: Int = 0, isStream: Bool = false,
    goOn: ([ReceivedDelta]) async throws -> Bool = { _ in true }
  ) async throws -> [ReceivedDelta] {
    let question = ChangesRequest(
      epoch: standing.epoch, after: standing.position, digest: standing.digest,
      waitSeconds: wait, isStream: isStream)
    let response = try await open("GET", question.target)
    try #require(response.status == .ok)
    guard case .node(let code, _) = role else { return [] }
    let trust = SignerTrust(root: files.current.root, registry: files.current.own.registry)
    var decoder = DeltaStreamDecoder(feed: Feed(of: code), after: standing.position)
    var deltas: [ReceivedDelta] = []
    for try await piece in response.body {
      deltas += try piece.withUnsafeReadableBytes { try decoder.append($0) }
      guard try await goOn(deltas) else { break }
    }
    #expect(decoder.isBetweenDeltas)
    for delta in deltas {
      let signed = try delta.signed()
      try await signed.verify(
        with: trust.key(for: signed.signature.certificates, asOf: .now))
    }
    return deltas
  }
}

extension Standing {
  /// Where a node stands that has nothing of this epoch.
  static func beginning(of epoch: Epoch) -> Standing {
    Standing(epoch: epoch, position: .start, digest: .zero)
  }
}

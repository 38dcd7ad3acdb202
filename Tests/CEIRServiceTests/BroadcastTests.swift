import CEIRService
import DeviceLists
import ExchangeTrust
import Hummingbird
import ListExchange
import Logging
import NIOCore
import NIOPosix
import RegistryStore
import Simulation
import Synchronization
import Testing

/// Pushing to nodes, of which some are dead.
struct BroadcastTests {
  @Test(arguments: [false, true])
  func `a dead node delays no other, and a push leads to the registry's list`(
    isSilent: Bool
  ) async throws {
    // Nobody listens at the one; the other lets in whoever comes, and says nothing.
    let silent = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0).get()
    let port = isSilent ? silent.localAddress?.port ?? 1 : 1
    let world = try await ExchangeWorld.start()
    let live = try await world.node()
    let dead = try await world.node("alfa", "eir-2")
    let receiver = try await PushedNode.start(live, asynchronous: false)
    try await push(to: live, at: receiver.url, .push, in: world)
    try await push(to: dead, at: "https://127.0.0.1:\(port)", .push, in: world)
    for number in 0..<5 { try await world.block(35_000_000_000_000 + UInt64(number)) }
    let head = try await world.head()
    try await eventually("the node's arrival at \(head.position)") {
      receiver.standing?.position == head.position
    }
    #expect(receiver.standing?.digest == head.digest)
    let before = try await world.block(35_000_000_000_100)
    // Below the patience with the dead one.
    try await eventually("one change more", within: 15) {
      receiver.standing.map { $0.position >= before } ?? false
    }
    try await eventually("a failure with the dead one") {
      try await world.metric("ceir_exchange_broadcast_failures_total") ?? 0 > 0
    }
    try await silent.close()
    await receiver.stop()
    try await world.stop()
  }

  @Test func `a node that answers first and acknowledges later gets the next after that`()
    async throws
  {
    let world = try await ExchangeWorld.start()
    let node = try await world.node()
    let receiver = try await PushedNode.start(node, asynchronous: true)
    try await push(to: node, at: receiver.url, .pushAsync, in: world)
    for number in 0..<3 { try await publish(UInt64(number), to: receiver, in: world) }
    #expect(receiver.wasAskedLater)
    await receiver.stop()
    try await world.stop()
  }

  @Test func `what a node has lost after its 202 is handed over again`() async throws {
    let world = try await ExchangeWorld.start()
    let node = try await world.node()
    let receiver = try await PushedNode.start(node, asynchronous: true)
    try await push(to: node, at: receiver.url, .pushAsync, in: world)
    for number in 0..<3 {
      try await publish(UInt64(number), to: receiver, in: world)
      receiver.losesNext()
    }
    let last = try await world.block(35_000_000_000_100)
    try await eventually("the arrival of what was lost", within: 30) {
      receiver.standing.map { $0.position >= last } ?? false
    }
    #expect(receiver.hasLost)
    #expect(receiver.standing?.digest == (try await world.head().digest))
    await receiver.stop()
    try await world.stop()
  }

  /// Blocks a device and waits until the node has it.
  private func publish(
    _ number: UInt64, to receiver: PushedNode, in world: ExchangeWorld
  ) async throws {
    let position = try await world.block(35_000_000_000_000 + number)
    try await eventually("the node's arrival at \(position)") {
      receiver.standing.map { $0.position >= position } ?? false
    }
  }

  private func push(
    to node: TestNode, at endpoint: String, _ style: ExchangeParameters.Style,
    in world: ExchangeWorld
  ) async throws {
    guard case .node(let code, let name) = node.role else { return }
    let version = try await world.store.write { registry in
      try await registry.proposeParameters(
        for: code, node: name, style: #require(DeliveryStyle(rawValue: style.rawValue)),
        effectiveAfter: 0, by: "test"
      ) { version in
        let parameters = ExchangeParameters(version: version, style: style, endpoint: endpoint)
        return String(decoding: parameters.json, as: UTF8.self)
      }
    }
    // The node says where it stands, and agrees.
    let epoch = try await world.head().epoch
    _ = try await node.changes(from: .beginning(of: epoch))
    let answer = try await node.send(
      "POST", ExchangePath.parameterConfirmations, #"{"version":\#(version)}"#, key: "confirm")
    #expect(answer.status == 200, "\(answer.text)")
  }
}

/// The pushed side: takes deltas, remembers where they lead, and answers as a node does.
final class PushedNode: Sendable {
  private struct State {
    var standing: Standing?
    var wasAskedLater = false
    var losesNext = false
    var hasLost = false
    var port = 0
    var running: Task<Void, any Error>?
  }

  private let node: TestNode
  private let asynchronous: Bool
  private let state = Mutex(State())
  private let instance: InstanceID

  static func start(_ node: TestNode, asynchronous: Bool) async throws -> PushedNode {
    let pushed = PushedNode(node, asynchronous: asynchronous)
    try await pushed.listen()
    return pushed
  }

  private init(_ node: TestNode, asynchronous: Bool) {
    self.node = node
    self.asynchronous = asynchronous
    var generator = SystemRandomNumberGenerator()
    instance = InstanceID(using: &generator)
  }

  var standing: Standing? { state.withLock { $0.standing } }
  var wasAskedLater: Bool { state.withLock { $0.wasAskedLater } }
  /// The next broadcast is answered 202 and lost, as by kill -9; then comes what a node says at its
  /// start: where it stands.
  func losesNext() { state.withLock { $0.losesNext = true } }
  var hasLost: Bool { state.withLock { $0.hasLost } }
  var url: String { state.withLock { "https://127.0.0.1:\($0.port)" } }

  func stop() async {
    let task = state.withLock { $0.running }
    task?.cancel()
    _ = await task?.result
  }

  private func listen() async throws {
    var logger = Logger(label: "node")
    logger.logLevel = .critical
    let connections = PeerConnections()
    let gate = PeerGate(
      files: node.files, accepting: .ceir, connections: connections, logger: logger)
    let router = Router(context: ConnectionRequestContext.self)
    router.get("exchange/v1/status") { _, _ in self.status() }
    router.post("exchange/v1/broadcast") { request, _ in try await self.take(request) }
    let (ready, isReady) = AsyncStream.makeStream(of: Int.self)
    let application = Application(
      router: router, server: .exchange(gate),
      configuration: .init(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { isReady.yield($0.localAddress?.port ?? 0) }, logger: logger)
    let task = Task { try await application.run() }
    for await port in ready {
      state.withLock { state in
        state.port = port
        state.running = task
      }
      return
    }
  }

  private func status() -> Response {
    let status = NodeStatus(
      registry: node.files.current.own.registry, standing: standing, held: 0, instance: instance)
    return Self.json(status.json)
  }

  private static func json(_ bytes: [UInt8], status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: ExchangePath.json],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  private func take(_ request: Request) async throws -> Response {
    let body = try await request.body.collect(upTo: 1 << 24)
    let reached: Standing
    if request.headers[.contentType] == ExchangePath.index {
      reached = try Self.standing(ofSnapshot: Array(body.readableBytesView))
    } else {
      guard case .node(let code, _) = node.role, let standing else {
        return Self.json(ExchangeProblem(standing: nil).json, status: .conflict)
      }
      var decoder = DeltaDecoder(feed: Feed(of: code), after: standing.position)
      try decoder.append(Array(body.readableBytesView))
      reached = Standing(try decoder.finish().checkpoint.head)
    }
    guard asynchronous else {
      state.withLock { $0.standing = reached }
      return Self.json(
        BroadcastResponse(state: .applied, standing: reached, held: 0).json)
    }
    let before = standing
    state.withLock { state in
      state.wasAskedLater = request.headers.contains {
        $0.name.rawName.lowercased() == "prefer" && $0.value == ExchangeHeader.respondAsync
      }
    }
    let isLost = state.withLock { state in
      defer { state.losesNext = false }
      state.hasLost = state.hasLost || state.losesNext
      return state.losesNext
    }
    Task {
      if isLost { try await pace(milliseconds: 300) }  // A start takes its time.
      try await self.acknowledge(isLost ? before ?? reached : reached)
    }
    return Self.json(
      BroadcastResponse(state: .accepted, standing: before, held: 0).json, status: .accepted)
  }

  private func acknowledge(_ reached: Standing) async throws {
    state.withLock { $0.standing = reached }
    let said = Acknowledgement(standing: reached, held: 0)
    _ = try await node.send(
      "POST", ExchangePath.acknowledgements, String(decoding: said.json, as: UTF8.self),
      key: "ack-\(reached.position)-\(UInt32.random(in: 0...(.max)))")
  }

  /// The file of the snapshot ends in its checkpoint: all that this node looks at.
  private static func standing(ofSnapshot bytes: [UInt8]) throws -> Standing {
    let text = Array("{\"registry\"".utf8)
    let start = bytes.indices.reversed().first { place in
      place + text.count <= bytes.count && bytes[place] == text[0]
        && bytes[place..<place + text.count].elementsEqual(text)
    }
    guard let start, let end = bytes.lastIndex(of: UInt8(ascii: "}")) else {
      throw ExchangeError(.cutShort)
    }
    return Standing(try SignedCheckpoint(json: bytes[start...end]).checkpoint.head)
  }
}

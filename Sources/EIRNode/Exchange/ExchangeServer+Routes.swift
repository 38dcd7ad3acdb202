import DeviceLists
import ExchangeTrust
import Foundation
import HTTPTypes
import Hummingbird
import ListExchange
import NIOCore
import NIOPosix

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension ExchangeServer {
  func router() -> Router<ConnectionRequestContext> {
    let router = Router(
      context: ConnectionRequestContext.self, options: [.autoGenerateHeadEndpoints])
    router.add(middleware: ProblemMiddleware(served: Self.served, logger: logger))
    router.add(middleware: ExactPathMiddleware())
    router.add(middleware: PeerMiddleware(connections))
    let routes = router.group(context: ExchangeRequestContext.self)
    routes.get(RouterPath(ExchangePath.openAPI)) { _, _ in
      Self.response(ExchangeContract.yaml, ExchangePath.yaml)
    }
    routes.get(RouterPath(ExchangePath.status)) { _, _ in
      let status = NodeStatus(
        registry: settings.registry, standing: keeper.standing, held: keeper.heldCount,
        instance: instance)
      return Self.response(status.json, ExchangePath.json)
    }
    routes.post(RouterPath(ExchangePath.broadcast)) { request, _ in try await broadcast(request) }
    return router
  }

  static func response(
    _ bytes: [UInt8], _ type: String, status: HTTPResponse.Status = .ok
  ) -> Response {
    Response(
      status: status, headers: [.contentType: type],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  private func broadcast(_ request: Request) async throws -> Response {
    try noteParameters(request)
    let isAsync = try Self.prefersAsync(request)
    let type = request.headers[.contentType].map {
      $0.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
    }
    let received: BroadcastTaker.Broadcast
    switch type {
    case ExchangePath.ndjson: received = .delta(try await delta(of: request))
    case ExchangePath.index:
      guard turnstile.enter() else {
        throw ExchangeError(.limitReached, "another snapshot is being received")
      }
      defer { turnstile.leave() }
      return try await answer(try await snapshot(of: request), isAsync)
    default: throw ExchangeError(.unsupportedMedia)
    }
    return try await answer(received, isAsync)
  }

  private func answer(
    _ received: BroadcastTaker.Broadcast, _ isAsync: Bool
  ) async throws -> Response {
    health.broadcast(asOf: .now())
    do {
      if isAsync { try taker.accept(received) } else { try await taker.take(received) }
    } catch {
      received.discard()
      throw error
    }
    let answer = BroadcastResponse(
      state: isAsync ? .accepted : .applied, standing: keeper.standing, held: keeper.heldCount)
    return Self.response(answer.json, ExchangePath.json, status: isAsync ? .accepted : .ok)
  }

  private func noteParameters(_ request: Request) throws(ExchangeError) {
    guard let name = HTTPField.Name(ExchangeHeader.parameters), let text = request.headers[name]
    else { return }
    guard let version = Int(text), 0...Int(Int32.max) ~= version else {
      throw ExchangeError(.badRequest, "\(ExchangeHeader.parameters) is no version")
    }
    parameters.announced(version)
  }

  /// Other preferences are passed over. RFC 7240, 2.
  private static func prefersAsync(_ request: Request) throws -> Bool {
    guard let name = HTTPField.Name(ExchangeHeader.prefer) else { return false }
    return request.headers[values: name].flatMap { $0.split(separator: ",") }.contains {
      $0.trimmingCharacters(in: .whitespaces).lowercased() == ExchangeHeader.respondAsync
    }
  }

  private func delta(of request: Request) async throws -> ReceivedDelta {
    let most = Self.longestDeltaBytes
    try Self.refuseLength(of: request, over: most)
    let feed = settings.feed
    let watchdog = Watchdog(
      patience: Self.bodyPatience, complaint: "the broadcast does not go on")
    let delta = try await watchdog.watch { progress in
      var decoder = DeltaDecoder(feed: feed, after: nil)
      var byteCount = 0
      for try await piece in request.body {
        byteCount += piece.readableBytes
        guard byteCount <= most else { throw Self.tooLarge(most) }
        try piece.withUnsafeReadableBytes { try decoder.append($0) }
        progress.made()
      }
      return try decoder.finish()
    }
    try await proof.prove(delta, asOf: .now())
    return delta
  }

  private func snapshot(of request: Request) async throws -> BroadcastTaker.Broadcast {
    try Self.refuseLength(of: request, over: SnapshotDownload.longestBytes)
    let path = keeper.broadcastPath()
    do {
      let watchdog = Watchdog(
        patience: Self.bodyPatience, complaint: "the broadcast does not go on")
      let body = request.body
      try await watchdog.watch { progress in
        try await FileReceiver(path: path, threads: threads, most: SnapshotDownload.longestBytes)
          .receive(body) { progress.made() }
      }
      let signed = try await threads.runIfActive {
        try ListKeeper.signedCheckpoint(ofFile: path)
      }
      try await proof.prove(signed, asOf: .now())
      return .snapshot(path: path, signed.checkpoint)
    } catch {
      unlink(path)
      throw error
    }
  }

  private static func refuseLength(of request: Request, over most: Int) throws(ExchangeError) {
    guard let length = request.headers[.contentLength].flatMap(Int.init) else { return }
    guard length <= most else { throw tooLarge(most) }
  }

  private static func tooLarge(_ most: Int) -> ExchangeError {
    ExchangeError(.tooLarge, "over \(most) bytes")
  }
}

package import AsyncHTTPClient
package import DeviceLists
package import ListExchange
import NIOCore
import NIOHTTP1
package import NIOPosix

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Asks the registry over HTTP.
package struct RegistryClient: Sendable {
  package enum ChangesReply: Sendable {
    case delta(ReceivedDelta)
    case problem(ExchangeProblem)
  }

  package enum SnapshotReply: Sendable {
    case saved
    case problem(ExchangeProblem)
  }

  /// No list of all the devices of a large country comes near it.
  static let longestSnapshotBytes = 1 << 34
  /// How long the registry may be silent beyond what it was asked to wait.
  static let patienceSeconds = 20
  private static let pieceBytes = 1 << 20

  private let client: HTTPClient
  private let url: String
  private let token: String
  private let threads: NIOThreadPool

  package init(client: HTTPClient, url: String, token: String, threads: NIOThreadPool) {
    self.client = client
    self.url = url
    self.token = token
    self.threads = threads
  }

  package func changes(
    _ question: ChangesRequest, feed: Feed
  ) async throws -> ChangesReply {
    let seconds = Int64(question.waitSeconds + Self.patienceSeconds)
    let response = try await client.execute(
      request(question.target), deadline: .now() + .seconds(seconds))
    guard response.status == .ok else { return .problem(try await problem(response)) }
    var decoder = DeltaDecoder(feed: feed, after: question.after)
    for try await piece in response.body {
      try piece.withUnsafeReadableBytes { try decoder.append($0) }
    }
    return .delta(try decoder.finish())
  }

  /// Writes the snapshot to `path`, complete or not at all useful: what it is worth is judged by
  /// its own hash.
  package func snapshot(after position: Position?, to path: String) async throws -> SnapshotReply {
    let hint = position.map { "?after=\($0)" } ?? ""
    let response = try await client.execute(
      request(ExchangePath.snapshot + hint), deadline: .distantFuture)
    guard response.status == .ok else { return .problem(try await problem(response)) }
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw NodeError.system("write", path: path) }
    defer { close(file) }
    var piece = ByteBuffer()
    var byteCount = 0
    for try await part in response.body {
      piece.writeImmutableBuffer(part)
      byteCount += part.readableBytes
      guard byteCount <= Self.longestSnapshotBytes else {
        throw NodeError(.registryUnreachable, "the registry sends a snapshot without an end")
      }
      if piece.readableBytes >= Self.pieceBytes {
        try await write(piece, to: file, path: path)
        piece.clear()
      }
    }
    try await write(piece, to: file, path: path)
    return .saved
  }

  package func status() async throws -> RegistryStatus {
    let response = try await client.execute(
      request(ExchangePath.status), deadline: .now() + .seconds(Int64(Self.patienceSeconds)))
    guard response.status == .ok else {
      throw NodeError(try await problem(response).error)
    }
    let body = try await response.body.collect(upTo: ExchangeLimits.longestDocumentBytes)
    return try RegistryStatus(json: Array(body.readableBytesView))
  }

  private func write(_ piece: ByteBuffer, to file: Int32, path: String) async throws {
    try await threads.runIfActive {
      guard SmallFile.writeAll(piece.readableBytesView, to: file) else {
        throw NodeError.system("write", path: path)
      }
    }
  }

  private func request(_ target: String) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: url + target)
    request.headers.add(name: "authorization", value: "Bearer \(token)")
    request.headers.add(name: "user-agent", value: "openceir-eir/1")
    return request
  }

  /// What a refusal says; by its status alone where it is no problem document of ours.
  private func problem(_ response: HTTPClientResponse) async throws -> ExchangeProblem {
    let status = Int(response.status.code)
    let body = try await response.body.collect(upTo: ExchangeLimits.longestDocumentBytes)
    do throws(ExchangeError) {
      return try ExchangeProblem(json: Array(body.readableBytesView))
    } catch {
      let known: [ExchangeCode] = [.badRequest, .unauthenticated, .forbidden, .notFound]
      let code = known.first { $0.httpStatus == status } ?? .unavailable
      return ExchangeProblem(ExchangeError(code, "HTTP status \(status)"))
    }
  }
}

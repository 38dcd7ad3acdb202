import DeviceLists
import ExchangeTrust
import HTTPTypes
import Hummingbird
import ListExchange
import NIOCore
import RegistryStore
import Synchronization

/// A request of a node that has proved who it is.
struct NodeRequest: Sendable {
  let request: Request
  let context: ExchangeRequestContext
  let node: KnownNode
  let room: BodyRoom

  var identity: NodeIdentity { node.identity }

  /// The value of a query parameter. One that stands twice is refused.
  func parameter(_ name: String) throws(ExchangeError) -> String? {
    let values = request.uri.queryParameters[values: Substring(name)]
    guard values.count <= 1 else {
      throw ExchangeError(.badRequest, "the parameter \"\(name)\" stands twice")
    }
    return values.first.map(String.init)
  }

  /// The whole body, which must be of this media type.
  func body(_ mediaType: String, upTo limit: Int) async throws -> [UInt8] {
    let sent = request.headers[.contentType] ?? ""
    let type = sent.split(separator: ";", maxSplits: 1).first.map { $0.lowercased() } ?? ""
    guard type.filter({ $0 != " " && $0 != "\t" }) == mediaType else {
      throw ExchangeError(.unsupportedMedia, "the body must be \(mediaType)")
    }
    let tooLarge = ExchangeError(.tooLarge, "over \(limit) bytes")
    let length = request.headers[.contentLength].flatMap { Int($0) } ?? limit
    guard 0...limit ~= length else { throw tooLarge }
    try room.take(length)
    do {
      let body = try await request.body.collect(upTo: limit)
      return Array(body.readableBytesView)
    } catch is NIOTooManyBytesError {
      throw tooLarge
    }
  }

  func json(_ bytes: [UInt8], status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: ExchangePath.json],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }
}

/// What the body of one request takes of the room that its node has; given back with its answer.
final class BodyRoom: Sendable {
  private let allowances: Allowances
  private let node: NodeIdentity
  private let taken = Mutex(0)

  init(_ allowances: Allowances, of node: NodeIdentity) {
    self.allowances = allowances
    self.node = node
  }

  func take(_ count: Int) throws(ExchangeError) {
    try allowances.takeBody(count, of: node)
    taken.withLock { $0 += count }
  }

  deinit { allowances.giveBack(taken.withLock { $0 }, to: node) }
}

extension HTTPResponse.Status {
  init(code: Int) { self.init(code: code, reasonPhrase: "") }
}

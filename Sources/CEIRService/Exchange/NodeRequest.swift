import DeviceLists
import ExchangeTrust
import HTTPTypes
import Hummingbird
import ListExchange
import NIOCore
import RegistryStore

/// A request of a node that has proved who it is.
struct NodeRequest: Sendable {
  let request: Request
  let context: ExchangeRequestContext
  let node: KnownNode

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
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
      throw tooLarge
    }
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

extension HTTPResponse.Status {
  init(code: Int) { self.init(code: code, reasonPhrase: "") }
}

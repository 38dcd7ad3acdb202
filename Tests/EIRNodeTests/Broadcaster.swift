import AsyncHTTPClient
import DeviceLists
import EIRNode
import ExchangeTrust
import Foundation
import ListExchange
import NIOCore
import NIOHTTP1
import NIOPosix

/// The CEIR's side of a broadcast: hands over to one node what it is told to.
final class Broadcaster: Sendable {
  struct Answer: Sendable {
    var status: Int
    var body: [UInt8]
    var headers: HTTPHeaders

    var problem: ExchangeProblem? { try? ExchangeProblem(json: body) }
    var taken: BroadcastResponse? { try? BroadcastResponse(json: body) }
  }

  private let client: PeerClient
  private let url: String

  /// - Parameter role: who hands over.
  init(
    to address: String, directory: String, authority: TestAuthority = .shared,
    as role: PeerName.Role = .ceir
  ) throws {
    let files = try TrustedFiles(
      authority.write(role, to: "\(directory)/pushing-\(UUID())", name: "ceir"))
    client = PeerClient(
      files: files,
      expecting: .exactly(.node(SmallRegistry.alpha, NodeName("eir-1")!)),
      group: MultiThreadedEventLoopGroup.singleton)
    url = "https://\(address)"
  }

  func ask(
    _ method: HTTPMethod, _ target: String, headers: [(String, String)] = [],
    body: [UInt8]? = nil
  ) async throws -> Answer {
    var request = HTTPClientRequest(url: url + target)
    request.method = method
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let body { request.body = .bytes(body) }
    let response = try await client.execute(request, deadline: .now() + .seconds(20))
    let bytes = try await response.body.collect(upTo: 1 << 20)
    return Answer(
      status: Int(response.status.code), body: Array(bytes.readableBytesView),
      headers: response.headers)
  }

  func push(
    _ bytes: [UInt8], type: String = ExchangePath.ndjson, isAsync: Bool = false,
    parameters: Int? = nil
  ) async throws -> Answer {
    var headers = [("content-type", type)]
    if isAsync { headers.append((ExchangeHeader.prefer, ExchangeHeader.respondAsync)) }
    if let parameters { headers.append((ExchangeHeader.parameters, String(parameters))) }
    return try await ask(.POST, ExchangePath.broadcast, headers: headers, body: bytes)
  }

  func pushSnapshot(
    of registry: SmallRegistry, in directory: String, isAsync: Bool = false
  ) async throws -> Answer {
    let path = "\(directory)/pushed-\(UUID()).index"
    try registry.writeSnapshot(to: path)
    let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    return try await push(bytes, type: ExchangePath.index, isAsync: isAsync)
  }

  func close() async throws { try await client.shutdown() }
}

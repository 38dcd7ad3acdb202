import AsyncHTTPClient
import DeviceLists
import EIRNode
import Foundation
import NIOCore
import NIOHTTP1
import Simulation

/// Asks the admin port of a node as a program of the operator does.
struct AdminCaller {
  let address: String
  let token: String

  init(_ node: NodeProcess) throws {
    address = node.admin
    token = try String(contentsOfFile: node.directory + "/admin.token", encoding: .utf8)
  }

  struct Answer {
    let status: Int
    let body: String
  }

  func ask(
    _ method: HTTPMethod, _ path: String, _ value: (any Encodable)? = nil, token: String? = nil
  ) async throws -> Answer {
    var request = HTTPClientRequest(url: "http://\(address)\(path)")
    request.method = method
    request.headers.add(name: "authorization", value: "Bearer \(token ?? self.token)")
    if let value { request.body = .bytes(ByteBuffer(bytes: try NodeJSON.encode(value))) }
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
    let body = try await response.body.collect(upTo: 16 << 20)
    return Answer(status: Int(response.status.code), body: String(buffer: body))
  }

  /// Nil where the node refuses.
  func add(
    _ subject: String, svn: String? = nil, reason: String = "a test"
  ) async throws -> LocalEntry? {
    let order = LocalOrder(
      subject: subject, svn: svn, author: LocalAuthor(by: "anna", reason: reason))
    let answer = try await ask(.POST, "/local", order)
    guard answer.status == 200 else { return nil }
    return try NodeJSON.decode(LocalEntry.self, from: Data(answer.body.utf8))
  }

  /// The names of all entries that there ever were.
  func names() async throws -> [String] {
    var (names, next): ([String], LocalID?) = ([], nil)
    repeat {
      let after = next.map { "&after=\($0)" } ?? ""
      let answer = try await ask(.GET, "/local?all=true\(after)")
      let page = try NodeJSON.decode(LocalPage.self, from: Data(answer.body.utf8))
      names += page.entries.compactMap { $0.id?.description }
      next = page.next
    } while next != nil
    return names
  }
}

extension NodeProcess {
  /// A node that follows a registry with an empty list and has that list.
  static func beside(
    _ server: RegistryServer, _ scratch: Scratch, more: [String] = []
  ) async throws -> NodeProcess {
    let node = try await start(in: scratch.path + "/node", registry: server.url, more: more)
    try await eventually("the node has a list") { try await node.status().ready }
    return node
  }

  /// One of the commands for people, on this node.
  func tool(_ arguments: [String]) async throws -> Program.Result {
    try await Self.eir(arguments + Self.flags(directory))
  }
}

extension RegistryServer {
  /// With an empty list that was confirmed so many seconds ago.
  static func started(
    _ scratch: Scratch, ageSeconds: Int64 = 0
  ) async throws -> RegistryServer {
    let server = try RegistryServer(directory: scratch.path)
    server.change { $0.issuedAt = Instant.now().adding(seconds: -ageSeconds) }
    try await server.start()
    return server
  }
}

import AsyncHTTPClient
import DeviceLists
import Foundation
import NIOCore
import NIOHTTP1

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Asks the node that runs on a directory; where none runs, looks at the files itself.
package struct AdminClient: Sendable {
  private static let patience = TimeAmount.seconds(60)
  /// A page of local entries, with all that the settings may hold on the first.
  static let longestAnswerBytes = 16 << 20

  private let settings: NodeSettings

  package init(settings: NodeSettings) { self.settings = settings }

  /// The file in which a running node says where its tools find it.
  static func addressPath(of settings: NodeSettings) -> String {
    settings.directory + "/admin.address"
  }

  package func status() async throws(NodeError) -> StatusReport {
    if let report: StatusReport = try await asked(.GET, "/status", nil) {
      let asked = (settings.registry.description, settings.feed.description)
      guard (report.registry, report.feed) == asked else {
        throw NodeError(
          .settings,
          "the node that answers follows the feed \(report.feed) of the registry "
            + "\(report.registry), not \(asked.1) of \(asked.0): check registry and operator")
      }
      return report
    }
    let keeper = try self.keeper()
    return StatusReport(try inForce().current, keeper: keeper, health: nil, asOf: .now())
  }

  package func explain(_ question: CheckQuestion) async throws(NodeError) -> Explanation {
    let query = try question.query()
    if let found: Explanation = try await asked(.POST, "/check", question) { return found }
    let (keeper, inForce) = (try self.keeper(), try inForce())
    var explanation = Explanation(
      of: query, by: inForce.current.engine, in: keeper.current, asOf: .now())
    if case .device(let device) = query.identity {
      let found = inForce.entries(matching: device)
      explanation.local = found.isEmpty ? nil : found
    }
    return explanation
  }

  package func accept() async throws(NodeError) -> AcceptReport {
    if let report: AcceptReport = try await asked(.POST, "/accept", nil) { return report }
    return AcceptReport(try keeper().accept())
  }

  /// Lets the running node read its settings again.
  package func reload() async throws(NodeError) -> ReloadReport {
    if let report: ReloadReport = try await asked(.POST, "/reload", nil) { return report }
    _ = try keeper()
    throw NodeError(
      .nodeUnreachable, "no node runs on \(settings.directory), so there is nothing to tell it")
  }

  /// Where no node runs. Who holds a ``keeper()`` may change it.
  func inForce() throws(NodeError) -> DecisionKeeper {
    try DecisionKeeper(settings: settings, asOf: .now())
  }

  static func removeAddress(of settings: NodeSettings) {
    unlink(addressPath(of: settings))
  }

  func keeper() throws(NodeError) -> ListKeeper {
    guard access(settings.directory, R_OK | X_OK) == 0 else {
      throw .system("open", path: settings.directory)
    }
    do throws(NodeError) {
      return try ListKeeper(
        directory: settings.directory, registry: settings.registry, feed: settings.feed,
        brakeLimit: settings.brake)
    } catch  where error.code == .directoryInUse {
      throw NodeError(
        .nodeUnreachable,
        "a node uses \(settings.directory) but does not answer on \(try address())")
    }
  }

  private func address() throws(NodeError) -> SocketAddress {
    guard let bytes = try SmallFile.content(of: Self.addressPath(of: settings)) else {
      return settings.admin
    }
    return SocketAddress(String(decoding: bytes, as: UTF8.self)) ?? settings.admin
  }

  private func exchange(
    _ request: HTTPClientRequest
  ) async throws -> (HTTPClientResponse, ByteBuffer) {
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5)))
    configuration.connectionPool.retryConnectionEstablishment = false
    return try await HTTPClient.withHTTPClient(configuration: configuration) { client in
      let response = try await client.execute(request, timeout: Self.patience)
      return (response, try await response.body.collect(upTo: Self.longestAnswerBytes))
    }
  }

  /// Nil where no node answers.
  func asked<Answer: Decodable>(
    _ method: HTTPMethod, _ path: String, _ question: (any Encodable)?
  ) async throws(NodeError) -> Answer? {
    guard let token = try AdminToken.read(path: settings.adminTokenPath) else { return nil }
    var request = HTTPClientRequest(url: "http://\(try address())\(path)")
    request.method = method
    request.headers.add(name: "authorization", value: "Bearer \(token.text)")
    do {
      if let question { request.body = .bytes(ByteBuffer(bytes: try NodeJSON.encode(question))) }
      let (response, body) = try await exchange(request)
      guard response.status == .ok else {
        let sentence = String(buffer: body).trimmingCharacters(in: .whitespacesAndNewlines)
        throw NodeError(response.status == .badRequest ? .settings : .notAccepted, sentence)
      }
      return try NodeJSON.decode(Answer.self, from: Data(body.readableBytesView))
    } catch let error as NodeError {
      throw error
    } catch {
      // Whoever answers there, or nobody: if a node holds the directory, opening it will tell.
      return nil
    }
  }
}

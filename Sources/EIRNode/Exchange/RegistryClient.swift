package import AsyncHTTPClient
import DeviceLists
package import ExchangeTrust
package import ListExchange
package import NIOCore
package import NIOHTTP1

/// Asks the registry over TLS with certificates on both sides.
package struct RegistryClient: Sendable {
  /// How long the registry may be silent beyond what it was asked to wait.
  package static let patienceSeconds = 20

  private let client: PeerClient
  /// `https://HOST:PORT`.
  private let url: String
  private let instance: InstanceID
  /// Told the newest version of the parameters that the registry names.
  private let announced: @Sendable (Int) -> Void
  /// Told of every answer, whatever it says.
  private let answered: @Sendable () -> Void

  package init(
    client: PeerClient, url: String, instance: InstanceID,
    announced: @escaping @Sendable (Int) -> Void = { _ in },
    answered: @escaping @Sendable () -> Void = {}
  ) {
    self.client = client
    self.url = url
    self.instance = instance
    self.announced = announced
    self.answered = answered
  }

  /// - Parameter key: for what changes something: the same for the same message.
  package func ask(
    _ method: HTTPMethod, _ target: String, headers: [(String, String)] = [],
    body: (type: String, bytes: [UInt8])? = nil, key: IdempotencyKey? = nil,
    deadline: NIODeadline = .now() + .seconds(Int64(patienceSeconds))
  ) async throws -> HTTPClientResponse {
    var request = HTTPClientRequest(url: url + target)
    request.method = method
    request.headers.add(name: "user-agent", value: "openceir-eir/1")
    request.headers.add(name: ExchangeHeader.instance, value: instance.description)
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let key {
      request.headers.add(name: ExchangeHeader.idempotencyKey, value: key.description)
    }
    if let body {
      request.headers.add(name: "content-type", value: body.type)
      request.body = .bytes(body.bytes)
    }
    let response: HTTPClientResponse
    do {
      response = try await client.execute(request, deadline: deadline)
    } catch let error as TrustError {
      throw NodeError(error)
    } catch let error as CancellationError {
      throw error
    } catch {
      throw NodeError(
        .registryUnreachable, "the registry does not answer at \(url)", underlying: error)
    }
    answered()
    if let text = response.headers.first(name: ExchangeHeader.parameters),
      let version = Int(text), 0...Int(Int32.max) ~= version
    {
      announced(version)
    }
    return response
  }

  /// The body of a success; throws what a refusal says.
  package func document(
    _ method: HTTPMethod, _ target: String,
    body: (type: String, bytes: [UInt8])? = nil, key: IdempotencyKey? = nil,
    most: Int = ExchangeLimits.longestDocumentBytes
  ) async throws -> [UInt8] {
    let response = try await ask(method, target, body: body, key: key)
    guard (200..<300).contains(response.status.code) else {
      throw NodeError(try await Self.problem(response).error)
    }
    return Array(try await response.body.collect(upTo: most).readableBytesView)
  }

  package func status() async throws -> RegistryStatus {
    try RegistryStatus(json: await document(.GET, ExchangePath.status))
  }

  package func parameters() async throws -> ParametersAnswer {
    try ParametersAnswer(json: await document(.GET, ExchangePath.parameters))
  }

  package func confirm(_ version: Int, key: IdempotencyKey) async throws {
    _ = try await document(
      .POST, ExchangePath.parameterConfirmations,
      body: (ExchangePath.json, ParametersConfirmation(version: version).json), key: key)
  }

  package func acknowledge(_ message: Acknowledgement, key: IdempotencyKey) async throws {
    _ = try await document(
      .POST, ExchangePath.acknowledgements, body: (ExchangePath.json, message.json), key: key)
  }

  /// What a refusal says; by its status alone where it is no problem document of ours.
  package static func problem(_ response: HTTPClientResponse) async throws -> ExchangeProblem {
    let status = Int(response.status.code)
    let body = try await response.body.collect(upTo: ExchangeLimits.longestDocumentBytes)
    do throws(ExchangeError) {
      return try ExchangeProblem(json: Array(body.readableBytesView))
    } catch {
      let known: [ExchangeCode] = [
        .badRequest, .unauthenticated, .forbidden, .notFound, .rangeNotSatisfiable,
      ]
      let code = known.first { $0.httpStatus == status } ?? .unavailable
      return ExchangeProblem(ExchangeError(code, "HTTP status \(status)"))
    }
  }
}

extension IdempotencyKey {
  /// A new one.
  package static func random() -> IdempotencyKey {
    var chance = SystemRandomNumberGenerator()
    guard let key = IdempotencyKey(InstanceID(using: &chance).description) else {
      preconditionFailure("32 hexadecimal digits are a key")
    }
    return key
  }
}

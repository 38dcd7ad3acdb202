import DeviceLists
import ExchangeTrust
import HTTPTypes
package import Hummingbird
package import ListExchange
import Logging
import NIOCore
import PostgreSQL
import RegistryStore

/// A refusal in the form of the contract.
package struct ExchangeProblemError: Error, HTTPResponseError {
  package let problem: ExchangeProblem
  var headers: HTTPFields = [:]

  package init(_ error: ExchangeError) { problem = ExchangeProblem(error) }

  init(_ code: ExchangeCode, head: JournalHead) {
    problem = ExchangeProblem(ExchangeError(code), epoch: head.epoch, position: head.position)
  }

  init(_ error: ExchangeError, _ name: HTTPField.Name, _ value: String) {
    problem = ExchangeProblem(error)
    headers[name] = value
  }

  package var status: HTTPResponse.Status { .init(code: problem.error.code.httpStatus) }

  package func response(
    from request: Request, context: some RequestContext
  ) throws -> Response {
    var headers = headers
    headers[.contentType] = ExchangePath.problem
    let isLater = [.unavailable, .limitReached].contains(problem.error.code)
    if isLater, headers[.retryAfter] == nil { headers[.retryAfter] = Self.retryAfterSeconds }
    return Response(
      status: status, headers: headers,
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: problem.json)))
  }

  static let retryAfterSeconds = "1"
}

extension ExchangeProblemError {
  /// What a node may know of an error; the log is told the rest.
  init(_ error: any Error) {
    switch error {
    case let error as ExchangeProblemError: self = error
    case let error as ExchangeError: self.init(error)
    case let error as TrustError:
      self.init(ExchangeError(Self.code(of: error), error.description))
    case let error as StoreError: self.init(store: error)
    case let error as HTTPError: self.init(ExchangeError(Self.code(of: error.status)))
    case is NIOTooManyBytesError: self.init(ExchangeError(.tooLarge))
    case is PostgreSQLError:
      self.init(
        ExchangeError(.unavailable, "The registry's database does not answer: try again."))
    default: self.init(ExchangeError(.internalFailure))
    }
  }

  private static func code(of error: TrustError) -> ExchangeCode {
    error.code == .request ? .badRequest : .certificateRefused
  }

  private static func code(of status: HTTPResponse.Status) -> ExchangeCode {
    switch status {
    case .notFound: .notFound
    case .contentTooLarge: .tooLarge
    case .unsupportedMediaType: .unsupportedMedia
    default: status.code >= 500 ? .internalFailure : .badRequest
    }
  }

  private init(store error: StoreError) {
    switch error.code {
    case .otherParameters: self.init(ExchangeError(.notProposed, error.description))
    case .policyForbids: self.init(ExchangeError(.notAllowed, error.description))
    case .dailyLimit(let seconds):
      self.init(ExchangeError(.limitReached, error.description), .retryAfter, "\(seconds)")
    case .unknownCursor:
      self.init(ExchangeError(.badRequest, "the parameter \"after\" is unusable"))
    case .certificateEnded:
      self.init(ExchangeError(.certificateRefused, error.description))
    case .queriesWaiting: self.init(ExchangeError(.limitReached, error.description))
    case .timeTooFar: self.init(ExchangeError(.wrongTime, error.description))
    case .unknownRequest, .unknownNode:
      self.init(ExchangeError(.notFound, error.description))
    case .alreadyBlocked, .notBlocked, .notReleased, .releaseStands, .unfit:
      self.init(ExchangeError(.malformed, error.description))
    default: self.init(ExchangeError(.internalFailure))
    }
  }
}

extension HTTPField.Name {
  static func named(_ name: String) -> HTTPField.Name {
    guard let name = HTTPField.Name(name) else {
      preconditionFailure("The names of the contract are tokens.")
    }
    return name
  }

  static let idempotencyKey = named(ExchangeHeader.idempotencyKey)
  static let idempotencyReplayed = named(ExchangeHeader.idempotencyReplayed)
  static let newestParameters = named(ExchangeHeader.parameters)
  static let instance = named(ExchangeHeader.instance)
  static let prefer = named(ExchangeHeader.prefer)
}

/// Turns every error of the exchange into a problem document with its code, also where the
/// address or the method is none of ours, and logs those that are our own.
struct ExchangeProblemMiddleware: RouterMiddleware {
  typealias Context = ConnectionRequestContext

  let allowed: AllowedMethods
  let metrics: CEIRMetrics

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch {
      let refusal = refusal(error, of: request)
      if refusal.status.code == 500 {
        context.logger.error(
          "A node's request has failed.",
          metadata: [
            "route": "\(context.endpointPath ?? "none")",
            "error": "\(String(reflecting: error))",
          ])
      }
      metrics.refusals.add()
      return try refusal.response(from: request, context: context)
    }
  }

  private func refusal(_ error: any Error, of request: Request) -> ExchangeProblemError {
    if (error as? HTTPError)?.status == .notFound,
      let methods = allowed.methods(at: request.uri.path), !methods.contains(request.method)
    {
      let names = methods.map(\.rawValue).sorted().joined(separator: ", ")
      return ExchangeProblemError(ExchangeError(.methodNotAllowed), .allow, names)
    }
    return ExchangeProblemError(error)
  }
}

/// Which methods each address of the interface has.
struct AllowedMethods: Sendable {
  private var byPath: [(segments: [Substring], methods: Set<HTTPRequest.Method>)] = []

  /// - Parameter served: the paths as in the contract, with `{id}` for what varies.
  init(_ served: [(method: String, path: String)]) {
    for (path, routes) in Dictionary(grouping: served, by: \.path) {
      var methods = Set(routes.compactMap { HTTPRequest.Method($0.method) })
      if methods.contains(.get) { methods.insert(.head) }
      byPath.append((path.split(separator: "/"), methods))
    }
  }

  func methods(at path: some StringProtocol) -> Set<HTTPRequest.Method>? {
    let asked = path.split(separator: "/").map { String($0) }
    return byPath.first { known in
      known.segments.count == asked.count
        && zip(known.segments, asked).allSatisfy { $0.first == "{" || $0 == $1 }
    }?.methods
  }
}

import DeviceLists
import ExchangeTrust
import HTTPTypes
import Hummingbird
import ListExchange
import Logging

/// Answers whatever goes wrong by a problem document with its code. RFC 9457.
struct ProblemMiddleware: RouterMiddleware {
  typealias Context = ConnectionRequestContext

  /// With the refusal of what is too much at present.
  private static let retrySeconds = 5

  let served: [(method: String, path: String)]
  let logger: Logger

  func handle(
    _ request: Request, context: Context,
    next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let refusal as BroadcastRefusal {
      return response(refusal.problem)
    } catch {
      let code = exchangeError(of: error, request)
      if code.code == .internalFailure {
        logger.error(
          "a request of the registry failed", metadata: ["reason": "\(String(reflecting: error))"])
      }
      return response(ExchangeProblem(code), allowing: allowed(request))
    }
  }

  private func exchangeError(of error: any Error, _ request: Request) -> ExchangeError {
    switch error {
    case let error as ExchangeError: error
    case let error as TrustError: ExchangeError(.certificateRefused, error.description)
    case let error as NodeError: exchangeError(of: error)
    case let error as any HTTPResponseError: exchangeError(status: error.status.code, request)
    default: ExchangeError(.internalFailure)
    }
  }

  private func exchangeError(of error: NodeError) -> ExchangeError {
    switch error.code {
    case .refused(let code): error.refusal ?? ExchangeError(code)
    case .diskFull: ExchangeError(.unavailable, "no room is left on the disk of the list")
    case .registryUnreachable: ExchangeError(.cutShort, error.description)
    case .tooManyToHold: ExchangeError(.limitReached, error.description)
    // A file that came as a snapshot and is none.
    case .file: ExchangeError(.contentDiffers, "this is no list that can be used")
    default: ExchangeError(.internalFailure)
    }
  }

  private func exchangeError(status: Int, _ request: Request) -> ExchangeError {
    switch status {
    case 404 where !allowed(request).isEmpty: ExchangeError(.methodNotAllowed)
    case 404: ExchangeError(.notFound)
    case 413: ExchangeError(.tooLarge)
    case 400..<500: ExchangeError(.badRequest)
    default: ExchangeError(.internalFailure)
    }
  }

  private func allowed(_ request: Request) -> [String] {
    served.filter { $0.path == request.uri.path }
      .flatMap { $0.method == "GET" ? ["GET", "HEAD"] : [$0.method] }
  }

  private func response(
    _ problem: ExchangeProblem, allowing methods: [String] = []
  ) -> Response {
    let code = problem.error.code
    var response = ExchangeServer.response(
      problem.json, ExchangePath.problem, status: HTTPResponse.Status(code: code.httpStatus))
    if code == .methodNotAllowed {
      response.headers[.allow] = methods.joined(separator: ", ")
    }
    if code == .limitReached || code == .unavailable {
      response.headers[.retryAfter] = String(Self.retrySeconds)
    }
    return response
  }
}

package import Hummingbird
import ListExchange
import Logging
import NIOCore
import PostgreSQL
import RegistryStore

/// A refusal as RFC 9457 has it, with a stable code for programs.
struct Problem: Error, HTTPResponseError {
  let status: HTTPResponse.Status
  let code: String
  let detail: String

  init(_ status: HTTPResponse.Status, _ code: String, _ detail: String) {
    self.status = status
    self.code = code
    self.detail = detail
  }

  private struct Document: Encodable {
    let type = "about:blank"
    let title: String
    let status: Int
    let code: String
    let detail: String
  }

  func response(from request: Request, context: some RequestContext) throws -> Response {
    let document = Document(
      title: status.reasonPhrase, status: status.code, code: code, detail: detail)
    var response = try JSONText.response(document, status: status)
    response.headers[.contentType] = "application/problem+json"
    if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
    return response
  }
}

extension Problem {
  /// SQLSTATE disk_full. PostgreSQL documentation, appendix A.
  static let diskFull = "53100"

  /// What a stranger may know of an error; the log is told the rest.
  init(_ error: any Error) {
    switch error {
    case let problem as Problem: self = problem
    case let error as StoreError: self.init(store: error)
    case let error as HTTPError:
      self.init(error.status, "request", error.body ?? error.status.reasonPhrase)
    case is NIOTooManyBytesError:
      self.init(
        .contentTooLarge, "body",
        "The body is longer than \(StaffDoor.longestBody) bytes.")
    case let error as PostgreSQLError where error.sqlState == Self.diskFull:
      self.init(
        .init(code: 507, reasonPhrase: "Insufficient Storage"), "diskFull",
        "The disk of the registry's database is full: nothing was changed.")
    case is PostgreSQLError:
      self.init(
        .serviceUnavailable, "database", "The registry's database does not answer: try again.")
    default: self.init(.internalServerError, "internal", "The registry has failed.")
    }
  }

  private init(store error: StoreError) {
    switch error.code {
    case .releaseStands: self.init(.conflict, "releaseStands", error.description)
    case .alreadyBlocked: self.init(.conflict, "alreadyBlocked", error.description)
    case .notBlocked: self.init(.conflict, "notBlocked", error.description)
    case .notReleased: self.init(.conflict, "notReleased", error.description)
    case .unfit: self.init(.badRequest, "unfit", error.description)
    case .unknownOperator: self.init(.badRequest, "unknownOperator", error.description)
    case .unknownNode: self.init(.badRequest, "unknownNode", error.description)
    case .unknownRequest: self.init(.notFound, "unknownRequest", error.description)
    case .unknownCursor: self.init(.badRequest, "unknownCursor", error.description)
    case .unknownRun: self.init(.notFound, "unknownRun", error.description)
    case .decidedAlready: self.init(.conflict, "decidedAlready", error.description)
    case .approvedAlready: self.init(.conflict, "approvedAlready", error.description)
    case .noApprover: self.init(.forbidden, "forbidden", error.description)
    case .notPublished: self.init(.conflict, "notPublished", error.description)
    case .otherParameters: self.init(.conflict, "otherParameters", error.description)
    default: self.init(.internalServerError, "internal", "The registry has failed.")
    }
  }
}

/// Turns every error into a problem document and logs those that are our own.
package struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
  package init() {}

  package func handle(
    _ request: Request, context: Context,
    next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let error as ExchangeProblemError {
      throw error
    } catch {
      let problem = Problem(error)
      if problem.status.code >= 500 {
        context.logger.error(
          "A request has failed.",
          metadata: [
            // The route, not the path: an IMEI does not belong in a log.
            "route": "\(context.endpointPath ?? "none")",
            "error": "\(String(reflecting: error))",
          ])
      }
      throw problem
    }
  }
}

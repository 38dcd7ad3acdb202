package import Hummingbird

/// Answers 404 to a path with a slash at its end or two together, which the router would take for
/// the path without them: one resource has one name on every interface. RFC 3986, 6.2.2.
package struct ExactPathMiddleware<Context: RequestContext>: RouterMiddleware {
  package init() {}

  package func handle(
    _ request: Request, context: Context,
    next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    let path = request.uri.path
    guard path == "/" || !(path.hasSuffix("/") || path.contains("//")) else {
      throw HTTPError(.notFound)
    }
    return try await next(request, context)
  }
}

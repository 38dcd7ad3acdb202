import Hummingbird
import RegistryStore

/// What watches the service asks: alive, ready, and numbers.
struct HealthRoutes: Sendable {
  let store: RegistryStore
  let lists: RegistryLists
  let metrics: CEIRMetrics

  private struct Health: Encodable {
    let status: String
    var reason: String?
  }

  func add(to router: some RouterMethods<BasicRequestContext>) {
    router.get("health/live") { _, _ in
      try JSONText.response(Health(status: "alive"))
    }
    router.get("health/ready") { _, _ in try await ready() }
    router.get("metrics") { _, _ in
      Response(
        status: .ok, headers: [.contentType: "text/plain; version=0.0.4"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: metrics.text)))
    }
  }

  private func ready() async throws -> Response {
    guard lists.position != nil else {
      return try JSONText.response(
        Health(status: "notReady", reason: "The lists are being read."),
        status: .serviceUnavailable)
    }
    do {
      _ = try await store.read { try await $0.registry() }
      return try JSONText.response(Health(status: "ready"))
    } catch {
      return try JSONText.response(
        Health(status: "notReady", reason: "The database does not answer."),
        status: .serviceUnavailable)
    }
  }
}

import DeviceLists
import Hummingbird
package import RegistryStore

/// `/v1/mass`: mass changes of the lists, and the two who approve them.
struct MassRoutes: Sendable {
  let door: StaffDoor

  private struct Runs: Encodable { let runs: [MassAnswer] }

  func add(to router: some RouterMethods<BasicRequestContext>) {
    router.get("mass", use: list)
    router.post("mass/:run/approval", use: approve)
  }

  @Sendable private func list(
    _ request: Request, _ context: BasicRequestContext
  ) async throws -> Response {
    _ = try await door.staff(request, who: .anybody)
    let runs = try await door.store.read { try await $0.massRuns() }
    return try JSONText.response(Runs(runs: runs.map(MassAnswer.init)))
  }

  /// The token of the request is the one that approves.
  @Sendable private func approve(
    _ request: Request, _ context: BasicRequestContext
  ) async throws -> Response {
    _ = try await door.staff(request, who: .anybody)
    guard let run = Int64(try context.parameters.require("run")), let token = request.bearerToken
    else { throw Problem(.badRequest, "run", "A mass change is named by the number of its run.") }
    let approved = try await Registrar(store: door.store).approve(run: run, with: token)
    return try JSONText.response(MassAnswer(approved))
  }
}

/// A mass change, for the staff.
package struct MassAnswer: Encodable, Sendable {
  let run: Int64
  let source: String
  let fileName: String
  let importedAt: String
  let importedBy: String
  let blacks: Int
  let after: UInt64
  let upTo: UInt64
  let isPublished: Bool
  let approvals: [String]
  /// Whether the checkpoints carry its mark.
  let isMarked: Bool

  package init(_ run: MassRun) {
    self.run = run.run
    source = run.source
    fileName = run.fileName
    importedAt = run.importedAt.description
    importedBy = run.importedBy
    blacks = run.blacks
    after = run.after.number
    upTo = run.upTo.number
    isPublished = run.isPublished
    approvals = run.approvals
    isMarked = run.isMarked
  }
}

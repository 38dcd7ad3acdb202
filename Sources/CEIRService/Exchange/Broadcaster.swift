import DeviceLists
import ExchangeTrust
import ListExchange
import Logging
import NIOPosix
import RegistryStore
import ServiceLifecycle

/// Pushes to the nodes whose style in force is to be pushed to: a task for each, so that one that
/// is slow or dead delays nobody.
struct Broadcaster: Service {
  static let pollInterval = Duration.seconds(1)

  let services: ExchangeServices
  let files: TrustedFiles
  let connections: PeerConnections
  let rosterBell: Bell
  let logger: Logger

  /// What a task was started for: with another endpoint it is another task.
  private struct Target: Hashable {
    let node: NodeIdentity
    let role: PeerName.Role
    let endpoint: String
  }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await withDiscardingTaskGroup { group in
        var running: [Target: Task<Void, Never>] = [:]
        while !Task.isCancelled {
          let seen = rosterBell.strokes
          let wanted = targets()
          for (target, task) in running where wanted[target] == nil {
            task.cancel()
            running[target] = nil
          }
          for (target, node) in wanted where running[target] == nil {
            let pusher = NodePusher(
              services: services, node: node, endpoint: target.endpoint, files: files,
              connections: connections, logger: logger)
            let task = Task { await pusher.run() }
            running[target] = task
            group.addTask {
              await withTaskCancellationHandler {
                await task.value
              } onCancel: {
                task.cancel()
              }
            }
          }
          await rosterBell.wait(since: seen, timeout: Self.pollInterval)
        }
      }
    }
  }

  private func targets() -> [Target: KnownNode] {
    var targets: [Target: KnownNode] = [:]
    for node in services.roster.nodes where node.inForce.style.isPushed {
      guard let endpoint = node.inForce.endpoint else { continue }
      targets[Target(node: node.identity, role: node.role, endpoint: endpoint)] = node
    }
    return targets
  }
}

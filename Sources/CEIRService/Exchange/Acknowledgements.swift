import ListExchange
import RegistryStore
import Synchronization

/// Brings what a node acknowledges to whoever pushes to it.
final class Acknowledgements: Sendable {
  private let waiting = Mutex<[Int32: [Acknowledgement]]>([:])
  private let bells = Mutex<[Int32: Bell]>([:])
  /// Of one node, of which the last is the furthest.
  static let mostWaiting = 16

  /// The bell that rings when a node acknowledges something.
  func listen(to node: NodeIdentity, with bell: Bell) {
    bells.withLock { $0[node.number] = bell }
  }

  /// Not where somebody else listens by now.
  func stopListening(to node: NodeIdentity, with bell: Bell) {
    let isLast = bells.withLock { bells in
      guard bells[node.number] === bell else { return false }
      bells[node.number] = nil
      return true
    }
    if isLast { waiting.withLock { $0[node.number] = nil } }
  }

  func tell(_ acknowledgement: Acknowledgement, of node: NodeIdentity) {
    guard let bell = bells.withLock({ $0[node.number] }) else { return }
    waiting.withLock { waiting in
      waiting[node.number, default: []].append(acknowledgement)
      if waiting[node.number, default: []].count > Self.mostWaiting {
        waiting[node.number]?.removeFirst()
      }
    }
    bell.ring()
  }

  func take(of node: NodeIdentity) -> [Acknowledgement] {
    waiting.withLock { $0.removeValue(forKey: node.number) ?? [] }
  }
}

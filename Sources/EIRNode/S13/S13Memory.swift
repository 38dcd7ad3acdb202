import Diameter
import NIOCore
import Synchronization

/// What all connections of S13 hold together: messages that are not whole, requests that wait for
/// the CEIR, and answers that are not read. Each of them has its own limits; this is that of all.
///
/// Beyond it the connection that holds most is closed: a stranger's, where one holds anything.
final class S13Memory: Sendable {
  /// Less than this is the usual, and not worth counting.
  static let leastBytes = 4_096

  fileprivate struct Share {
    var bytes: Int
    var isPeer: Bool
    let close: @Sendable () -> Void
  }

  fileprivate struct State {
    var shares: [ObjectIdentifier: Share] = [:]
    var total = 0
    var closedCount = 0
  }

  private let most: Int
  private let state = Mutex(State())

  init(most: Int) { self.most = most }

  /// Connections that were closed for this.
  var closedCount: Int { state.withLock { $0.closedCount } }
  var bytes: Int { state.withLock { $0.total } }

  /// - Parameter isPeer: whether it was let in.
  func hold(
    _ bytes: Int, by connection: ObjectIdentifier, isPeer: Bool,
    close: @escaping @Sendable () -> Void
  ) {
    let closings = state.withLock { state in
      state.set(Share(bytes: bytes, isPeer: isPeer, close: close), of: connection)
      var closings: [@Sendable () -> Void] = []
      while state.total > most, let share = state.removeGreatest() { closings.append(share.close) }
      return closings
    }
    // After the lock: a connection that ends releases what it holds.
    for close in closings { close() }
  }

  func release(_ connection: ObjectIdentifier) {
    _ = state.withLock { $0.remove(connection) }
  }
}

extension S13Memory.State {
  fileprivate mutating func set(_ share: S13Memory.Share, of connection: ObjectIdentifier) {
    remove(connection)
    shares[connection] = share
    total += share.bytes
  }

  @discardableResult
  fileprivate mutating func remove(_ connection: ObjectIdentifier) -> S13Memory.Share? {
    guard let share = shares.removeValue(forKey: connection) else { return nil }
    total -= share.bytes
    return share
  }

  fileprivate mutating func removeGreatest() -> S13Memory.Share? {
    let strangers = shares.filter { !$0.value.isPeer }
    let greatest = (strangers.isEmpty ? shares : strangers).max { $0.value.bytes < $1.value.bytes }
    closedCount += greatest == nil ? 0 : 1
    return greatest.flatMap { remove($0.key) }
  }
}

extension S13Handler {
  /// Tells what this connection holds, where that is worth telling.
  func account(context: ChannelHandlerContext) {
    let unwritten = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
    let bytes = heldBytes + (unwritten ?? 0)
    let channel = context.channel
    let memory = service.peers.memory
    if bytes >= S13Memory.leastBytes, channel.isActive {
      isAccounted = true
      memory.hold(bytes, by: ObjectIdentifier(channel), isPeer: session.state == .open) {
        channel.close(promise: nil)
      }
    } else if isAccounted {
      isAccounted = false
      memory.release(ObjectIdentifier(channel))
    }
  }
}

import NIOConcurrencyHelpers
import NIOCore

/// The open connections of one listener.
final class ConnectionTable: Sendable {
  fileprivate struct State {
    var channels: [ObjectIdentifier: any Channel] = [:]
    /// Those of them that have no place of their own.
    var turnedAway: Set<ObjectIdentifier> = []
    var isDraining = false
    var whenEmpty: [EventLoopPromise<Void>] = []
  }

  private let state = NIOLockedValueBox(State())
  enum Place {
    case served
    /// Beyond the limit: only told so.
    case turnedAway
  }

  private let limit: Int
  private let turnedAwayLimit: Int

  init(limit: Int, turnedAwayLimit: Int) {
    self.limit = limit
    self.turnedAwayLimit = turnedAwayLimit
  }

  var count: Int { state.withLockedValue { $0.channels.count } }

  /// Nil where there are too many even to tell them so, or no more are wanted.
  func admit(_ channel: any Channel) -> Place? {
    state.withLockedValue { state in
      guard !state.isDraining else { return nil }
      let isServed = state.channels.count - state.turnedAway.count < limit
      guard isServed || state.turnedAway.count < turnedAwayLimit else { return nil }
      state.channels[ObjectIdentifier(channel)] = channel
      if !isServed { state.turnedAway.insert(ObjectIdentifier(channel)) }
      return isServed ? .served : .turnedAway
    }
  }

  func remove(_ channel: any Channel) {
    let waiting = state.withLockedValue { state in
      state.channels[ObjectIdentifier(channel)] = nil
      state.turnedAway.remove(ObjectIdentifier(channel))
      return state.takeWaitingIfEmpty()
    }
    for promise in waiting { promise.succeed() }
  }

  /// Asks every connection to finish, closes what is left after `deadline`; done when all are gone.
  func drain(within deadline: TimeAmount, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
    let promise = eventLoop.makePromise(of: Void.self)
    let (channels, waiting) = state.withLockedValue { state in
      state.isDraining = true
      state.whenEmpty.append(promise)
      return (Array(state.channels.values), state.takeWaitingIfEmpty())
    }
    for promise in waiting { promise.succeed() }
    for channel in channels {
      channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }
    let timer = eventLoop.scheduleTask(in: deadline) { [state] in
      for channel in state.withLockedValue({ Array($0.channels.values) }) {
        channel.close(promise: nil)
      }
    }
    promise.futureResult.whenComplete { _ in timer.cancel() }
    return promise.futureResult
  }
}

extension ConnectionTable.State {
  fileprivate mutating func takeWaitingIfEmpty() -> [EventLoopPromise<Void>] {
    guard channels.isEmpty else { return [] }
    defer { whenEmpty = [] }
    return whenEmpty
  }
}

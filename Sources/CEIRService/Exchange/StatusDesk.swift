import DeviceIdentity
package import DeviceLists
package import ListExchange
import NIOCore
import RegistryStore
import Synchronization

/// Answers questions for the status of devices from the registry's own lists: no database stands
/// on the way.
package final class StatusDesk: Sendable {
  /// How long a node may remember an answer.
  package static let validSeconds: Int64 = 3_600

  private let lists: RegistryLists

  package init(lists: RegistryLists) { self.lists = lists }

  /// One question or many.
  package func answer(
    _ bytes: UnsafeRawBufferPointer, for node: KnownNode, asOf now: Instant,
    most: Int = ExchangeLimits.mostQueriesAtOnce
  ) throws(ExchangeError) -> [UInt8] {
    try answer(LUStatusRequest(bytes, most: most), for: node, asOf: now)
  }

  func answer(
    _ request: LUStatusRequest, for node: KnownNode, asOf now: Instant
  ) throws(ExchangeError) -> [UInt8] {
    try request.refuseTimes(aheadOf: now)
    let (engine, feed) = (Self.engine(for: node), try feed(of: node))
    let head = feed.head
    let validUntil = now.adding(seconds: Self.validSeconds)
    var encoder = LUStatusEncoder()
    guard request.isMany else {
      let verdict = engine.verdict(on: request.queries[0].check, in: feed, asOf: now)
      return encoder.one(
        verdict, epoch: head.epoch, position: head.position, validUntil: validUntil)
    }
    encoder.open(
      count: request.queries.count, epoch: head.epoch, position: head.position,
      validUntil: validUntil)
    for query in request.queries {
      encoder.append(engine.verdict(on: query.check, in: feed, asOf: now))
    }
    return encoder.close()
  }

  /// What the lists say for a node's operator; throws until they have been read.
  func feed(of node: KnownNode) throws(ExchangeError) -> FeedLists {
    guard let feed = lists.feed(of: node.scope) else {
      throw ExchangeError(.unavailable, "The registry's lists are being read: try again.")
    }
    return feed
  }

  /// The registry decides as the operator's own nodes do, by the policy agreed with it.
  static func engine(for node: KnownNode) -> DecisionEngine {
    var settings = DecisionSettings()
    settings.mode = .answer(node.mode)
    return DecisionEngine(settings: settings)
  }
}

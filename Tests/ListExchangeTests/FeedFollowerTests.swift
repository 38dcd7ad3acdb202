import DeviceLists
import Testing

@testable import ListExchange

/// The node is at 10 with digest 1. DESIGN section 1, "Feed" and "Position and epoch".
struct FeedFollowerTests {
  private static func checkpoint(
    after: UInt64, upTo: UInt64, digest: UInt8 = 2, epoch: Epoch = Samples.epoch,
    registry: String = "demo", feed: String = "alpha", later seconds: Int64 = 0
  ) -> Checkpoint {
    Checkpoint(
      registry: RegistryName(registry)!, epoch: epoch, feed: Feed(of: OperatorCode(feed)!),
      after: Position(after), position: Position(upTo), digest: Samples.digest(digest),
      contentHash: ContentHash(String(repeating: "0", count: 64))!,
      issuedAt: Samples.issuedAt.adding(seconds: seconds))
  }

  private static func node(announced: Epoch? = nil) -> FeedFollower {
    var follower = FeedFollower(
      feed: Samples.feed, registry: Samples.registry,
      head: Samples.head(10, digest: Samples.digest(1)))
    if let announced { follower.announced(announced) }
    return follower
  }

  private static let fetch = FeedFollower.Action.fetch(
    epoch: Samples.epoch, after: Position(10), digest: Samples.digest(1))

  @Test(arguments: [
    (checkpoint(after: 11, upTo: 12), fetch),
    (checkpoint(after: 10, upTo: 12), .apply(Position(11)...Position(12))),
    (checkpoint(after: 3, upTo: 12), .apply(Position(11)...Position(12))),
    (checkpoint(after: 10, upTo: 10, digest: 1), .confirm),
    (checkpoint(after: 3, upTo: 10, digest: 1), .confirm),
    (checkpoint(after: 10, upTo: 10, digest: 2), .takeSnapshot(.digestDiffers)),
    (checkpoint(after: 3, upTo: 9), .ignore),
    (
      checkpoint(after: 10, upTo: 12, epoch: Samples.otherEpoch, later: 1),
      .changeEpoch(Samples.otherEpoch)
    ),
    (
      checkpoint(after: 10, upTo: 12, epoch: Samples.otherEpoch),
      .goOn(ExchangeError(.stale, "another epoch, issued before the list that is here"))
    ),
    (
      checkpoint(after: 10, upTo: 12, feed: "beta"),
      .goOn(ExchangeError(.wrongFeed, "beta instead of alpha"))
    ),
    (
      checkpoint(after: 10, upTo: 12, registry: "sham"),
      .goOn(ExchangeError(.wrongRegistry, "sham instead of demo"))
    ),
  ])
  func `a delta is applied, fetched, confirmed or ignored`(
    offer: Checkpoint, action: FeedFollower.Action
  ) {
    #expect(Self.node().offered(offer) == action)
  }

  @Test(
    arguments: [
      (checkpoint(after: 10, upTo: 10, digest: 1, epoch: Samples.otherEpoch), .confirm),
      (
        checkpoint(after: 10, upTo: 12, epoch: Samples.otherEpoch),
        .apply(Position(11)...Position(12))
      ),
      (
        checkpoint(after: 10, upTo: 10, digest: 2, epoch: Samples.otherEpoch),
        .takeSnapshot(.epochChanged)
      ),
      (
        checkpoint(after: 2, upTo: 9, digest: 1, epoch: Samples.otherEpoch),
        .takeSnapshot(.epochChanged)
      ),
      (checkpoint(after: 10, upTo: 12), .ignore),
    ] as [(Checkpoint, FeedFollower.Action)])
  func `in a new epoch the list is kept only if it is the same`(
    offer: Checkpoint, action: FeedFollower.Action
  ) {
    #expect(Self.node(announced: Samples.otherEpoch).offered(offer) == action)
  }

  @Test func `in a new epoch the node asks with its own digest`() {
    #expect(
      Self.node(announced: Samples.otherEpoch).next
        == .fetch(epoch: Samples.otherEpoch, after: Position(10), digest: Samples.digest(1)))
    #expect(Self.node().next == Self.fetch)
    #expect(FeedFollower(feed: Samples.feed).next == .takeSnapshot(.noList))
  }

  @Test func `a delta whose digest would differ is not applied`() {
    let offer = Self.checkpoint(after: 10, upTo: 12)
    #expect(Self.node().compared(Samples.digest(2), with: offer) == .confirm)
    #expect(
      Self.node().compared(Samples.digest(3), with: offer) == .takeSnapshot(.digestDiffers))
  }

  @Test(arguments: [
    (
      ExchangeCode.epochChanged, Epoch?.some(Samples.otherEpoch), false,
      FeedFollower.Action?.some(.changeEpoch(Samples.otherEpoch))
    ),
    (.epochChanged, nil, false, nil),
    (.epochChanged, Samples.epoch, false, nil),
    (.epochChanged, Samples.epoch, true, .changeEpoch(Samples.epoch)),
    (.beforeHorizon, nil, false, .takeSnapshot(.beforeHorizon)),
    (.snapshotIsCheaper, nil, false, .takeSnapshot(.cheaper)),
    (.digestDiffers, nil, false, .takeSnapshot(.digestDiffers)),
    (.digestDiffers, nil, true, .takeSnapshot(.epochChanged)),
    (.nodeAhead, Samples.epoch, false, nil),
    (.nodeAhead, Samples.otherEpoch, true, .takeSnapshot(.epochChanged)),
    (.unavailable, nil, false, nil),
    (.unauthenticated, nil, false, nil),
  ])
  func `a refusal leads on, or the node goes on answering`(
    code: ExchangeCode, epoch: Epoch?, isNewEpoch: Bool, action: FeedFollower.Action?
  ) {
    let error = ExchangeError(code, "so")
    let node = Self.node(announced: isNewEpoch ? Samples.otherEpoch : nil)
    #expect(
      node.refused(ExchangeProblem(error, epoch: epoch)) == action ?? .goOn(error))
  }

  @Test(arguments: [
    (checkpoint(after: 0, upTo: 10), false, ExchangeCode?.none),
    (checkpoint(after: 0, upTo: 11), false, nil),
    (checkpoint(after: 0, upTo: 9), false, .stale),
    (checkpoint(after: 0, upTo: 11), true, .wrongEpoch),
    (checkpoint(after: 0, upTo: 2, epoch: Samples.otherEpoch), true, nil),
    (checkpoint(after: 0, upTo: 2, epoch: Samples.otherEpoch, later: -9), true, nil),
    (checkpoint(after: 0, upTo: 2, epoch: Samples.otherEpoch, later: 9), false, nil),
    (checkpoint(after: 0, upTo: 99, epoch: Samples.otherEpoch, later: -9), false, .stale),
    (checkpoint(after: 0, upTo: 11, registry: "sham"), false, .wrongRegistry),
    (checkpoint(after: 0, upTo: 11, feed: "beta"), false, .wrongFeed),
  ])
  func `a snapshot leads forward, or is of the epoch that the registry named`(
    offer: Checkpoint, isNewEpoch: Bool, refusal: ExchangeCode?
  ) {
    let node = Self.node(announced: isNewEpoch ? Samples.otherEpoch : nil)
    switch node.snapshotOffered(offer) {
    case .install: #expect(refusal == nil)
    case .goOn(let error): #expect(error.code == refusal)
    case let other: Issue.record("\(other)")
    }
  }

  @Test func `a list of the same position becomes younger and never older`() {
    var node = Self.node()
    node.reached(Self.checkpoint(after: 10, upTo: 10, digest: 1, later: 60))
    #expect(node.head?.issuedAt == Samples.issuedAt.adding(seconds: 60))
    node.reached(Self.checkpoint(after: 10, upTo: 12, later: 30))
    #expect(node.head?.issuedAt == Samples.issuedAt.adding(seconds: 60))
    #expect(node.head?.position == Position(12))
  }
}

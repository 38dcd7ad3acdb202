import DeviceLists
import EIRNode
import Foundation
import ListExchange
import ListIndex
import Simulation
import Testing

/// A directory that is gone when the test is over.
final class Scratch {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/eir-test-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

extension SmallRegistry {
  /// Opens a directory whose former keeper is gone.
  ///
  /// A process that another test is just starting may hold a copy of the former lock until it has
  /// become another program, so a refusal is asked again.
  static func keeper(
    in directory: String, brake: Brake.Limit = Brake.Limit(), mostHeld: Int = HeldAnswers.most
  ) throws -> ListKeeper {
    let opened = retried(within: 5) { () -> Result<ListKeeper, any Error>? in
      let opened = Result {
        try ListKeeper(
          directory: directory, registry: name, feed: feed, brakeLimit: brake, mostHeld: mostHeld)
      }
      if case .failure(let error as NodeError) = opened, error.code == .directoryInUse {
        return nil
      }
      return opened
    }
    return try #require(opened, "The directory stays in use.").get()
  }

  func received(after: Position, upTo: Position? = nil) throws -> ReceivedDelta {
    var decoder = DeltaDecoder(feed: Self.feed, after: after)
    try decoder.append(delta(after: after, upTo: upTo))
    return try decoder.finish()
  }

  /// The whole list of the node is the registry's, entry by entry, and so is every answer to it.
  func expectSame(
    as list: ListSnapshot?, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let list = try #require(list, sourceLocation: sourceLocation)
    var found: [Subject: ListedClass] = [:]
    var entries = list.entries()
    while let entry = entries.next() { found[entry.subject] = entry.listed }
    #expect(found == self.list, sourceLocation: sourceLocation)
    #expect(list.head.position == position, sourceLocation: sourceLocation)
    #expect(list.head.digest == digest, sourceLocation: sourceLocation)
    #expect(list.recomputedDigests().sum == digest, sourceLocation: sourceLocation)
  }
}

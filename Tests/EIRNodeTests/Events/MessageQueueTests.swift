import Foundation
import Testing

@testable import EIRNode

/// Messages on disk, and others who meddle with them.
struct MessageQueueTests {
  private static let limits = MessageQueue.Limits(bytes: 1_000, files: 10, messageBytes: 500)

  private static func queue(in scratch: Scratch) throws -> MessageQueue {
    try MessageQueue(directory: scratch.path + "/queue", limits: limits)
  }

  private static func files(_ scratch: Scratch) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/queue").sorted()
  }

  @Test func `a message that somebody has removed holds up none behind it`() throws {
    let scratch = try Scratch()
    let queue = try Self.queue(in: scratch)
    for text in ["one\n", "two\n", "three\n"] {
      #expect(try queue.append(Array(text.utf8)))
    }
    let first = try #require(queue.oldest)
    let name = try #require(try Self.files(scratch).first)
    try FileManager.default.removeItem(atPath: scratch.path + "/queue/" + name)
    #expect(try queue.content(of: first) == nil)
    #expect(queue.count == 2 && queue.bytes == 10)
    let second = try #require(queue.oldest)
    #expect(try queue.content(of: second) == Array("two\n".utf8))
    try queue.remove(second)
    #expect(queue.count == 1)
    #expect(try Self.files(scratch).count == 1)
    #expect(try Self.queue(in: scratch).count == 1)
  }
}

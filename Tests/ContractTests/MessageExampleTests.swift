import DeviceLists
import Foundation
import ListExchange
import Testing

/// The examples of the document are messages that OpenCEIR itself reads and writes.
struct MessageExampleTests {
  private func contract() throws -> Contract { try Contract.shared.get() }

  /// An example, or a line of it where it stands for NDJSON.
  private func messages(_ example: Contract.Example) -> [JSON] {
    example.mediaType == ExchangePath.ndjson ? example.value.array : [example.value]
  }

  @Test func `every reference resolves and every example is what its schema says`() throws {
    #expect(try Contract.run([]).status == 0)
  }

  @Test func `our types read every example, lose no member, and write it as the schema says`()
    throws
  {
    let contract = try contract()
    let examples = contract.examples.filter {
      [ExchangePath.json, ExchangePath.problem, ExchangePath.ndjson].contains($0.mediaType)
    }
    #expect(examples.count > 60)
    var written: [JSON] = []
    for example in examples {
      let names = contract.names(of: example.schema)
      if names == ["Delta"] { continue }
      for message in messages(example) {
        let found = try fitting(message, names)
        let (name, again) = try #require(found, "\(example.place): none of \(names) reads it")
        written.append(.object(["schema": .text(name), "value": again]))
        #expect(try fitting(again, [name])?.written == again, "\(example.place)")
      }
    }
    #expect(try check(written) == 0)
  }

  /// The first of these types that reads a message and loses no member of it.
  private func fitting(
    _ message: JSON, _ names: [String]
  ) throws -> (name: String, written: JSON)? {
    for name in names {
      guard let reader = OwnTypes.readers[name] else { continue }
      let bytes: [UInt8]
      do { bytes = try reader(message.bytes) } catch is ExchangeError { continue }
      let written = try JSON(bytes: bytes)
      if message.names.isSubset(of: written.names) { return (name, written) }
    }
    return nil
  }

  /// Whether each is what its schema says.
  private func check(_ messages: [JSON]) throws -> Int32 {
    let file = FileManager.default.temporaryDirectory.appending(path: "contract-\(UUID()).ndjson")
    defer { try? FileManager.default.removeItem(at: file) }
    let lines = try messages.map { String(decoding: try $0.bytes, as: UTF8.self) + "\n" }
    try lines.joined().write(to: file, atomically: true, encoding: .utf8)
    return try Contract.run(["--check", file.path]).status
  }

  @Test func `every message that is an object of its own has an example`() throws {
    let contract = try contract()
    let shown = Set(contract.examples.flatMap { contract.names(of: $0.schema) })
    // Shown as the last line of a delta.
    let inside: Set = ["Checkpoint"]
    #expect(Set(OwnTypes.readers.keys).subtracting(shown) == inside)
  }

  @Test func `the deltas that are shown are whole, signed and in order`() throws {
    let contract = try contract()
    let vector = try Contract.text("vectors/signed-delta.ndjson")
    let lines = try vector.split(separator: "\n").map { try JSON(bytes: Array($0.utf8)) }
    let shown = contract.examples.filter { contract.names(of: $0.schema) == ["Delta"] }
    #expect(shown.count == 4)
    for example in shown where example.value.array != lines {
      let checkpoint = try #require(example.value.array.first?["checkpoint"])
      let signed = try SignedCheckpoint(json: checkpoint.bytes)
      try signed.verify(with: SignedDelta.key)
      #expect(signed.checkpoint.after == signed.checkpoint.position)
      #expect(example.value.array.count == 1)
    }
    #expect(shown.count { $0.value.array == lines } == 2)
  }
}

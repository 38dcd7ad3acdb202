import CEIRService
import DeviceLists
import ExchangeTrust
import Foundation
import ListExchange
import ListIndex
import RegistryStore
import Simulation
import Testing

/// Snapshots by range, from cuts that nodes share.
struct SnapshotTests {
  /// From RFC 9110, 14.1.2, and its edges, for a file of 1,000 bytes.
  @Test(
    arguments: [
      (nil, ByteRange.whole), ("bytes=0-499", .part(0..<500)), ("bytes=500-", .part(500..<1_000)),
      ("bytes=-500", .part(500..<1_000)), ("bytes=-2000", .part(0..<1_000)),
      ("bytes=999-999", .part(999..<1_000)), ("bytes=900-9999", .part(900..<1_000)),
      ("bytes=0-18446744073709551616", .part(0..<1_000)), ("BYTES=1-1", .part(1..<2)),
      ("bytes=1000-", .unsatisfiable), ("bytes=1000-1001", .unsatisfiable),
      ("bytes=-0", .unsatisfiable), ("bytes=2-1", .whole), ("bytes=0-1,5-6", .whole),
      ("bytes=", .whole), ("bytes=-", .whole), ("bytes=a-b", .whole), ("items=0-1", .whole),
      ("bytes=+1-2", .whole), ("bytes= 1-2", .whole),
    ] as [(String?, ByteRange)])
  func `a range is what its header says`(header: String?, range: ByteRange) {
    #expect(ByteRange(header, of: 1_000) == range)
  }

  @Test func `a snapshot is whole, signed, and goes on where it was cut off`() async throws {
    let world = try await ExchangeWorld.start()
    let node = try await world.node()
    for number in 0..<50 { try await world.block(35_000_000_000_000 + UInt64(number)) }
    let head = try await world.head()
    try await eventually("the lists at \(head.position)") {
      try await node.send("GET", ExchangePath.snapshot + "?after=\(head.position)").status == 200
    }
    let target = ExchangePath.snapshot + "?after=\(head.position)"
    let whole = try await node.send("GET", target)
    let tag = try #require(whole.headers["etag"])
    #expect(whole.headers["accept-ranges"] == "bytes")
    let path = "\(world.directory)/snapshot.idx"
    try write(whole.body, to: path)
    let summary = try IndexFileSummary(path: path, verify: true)
    let signed = try SignedCheckpoint(json: summary.trailer)
    #expect(signed.checkpoint.head.digest == head.digest)
    let trust = SignerTrust(root: world.authority.root, registry: signed.checkpoint.registry)
    try await signed.verify(with: trust.key(for: signed.signature.certificates, asOf: .now))

    let first = try await node.send(
      "GET", target, headers: [("Range", "bytes=0-99"), ("If-Range", tag)])
    #expect(first.status == 206)
    #expect(first.headers["content-range"] == "bytes 0-99/\(whole.body.count)")
    // The list goes on; a newer cut is made; the old one can still be resumed.
    try await world.block(35_000_000_009_999)
    let newer = try await world.head()
    try await eventually("a newer cut") {
      try await node.send("HEAD", ExchangePath.snapshot + "?after=\(newer.position)")
        .headers["etag"] ?? tag != tag
    }
    let rest = try await node.send(
      "GET", ExchangePath.snapshot, headers: [("Range", "bytes=100-"), ("If-Range", tag)])
    #expect(rest.status == 206)
    #expect(first.body + rest.body == whole.body)
    let other = try await node.send(
      "GET", ExchangePath.snapshot,
      headers: [("Range", "bytes=100-"), ("If-Range", "\"\(String(repeating: "0", count: 64))\"")])
    #expect(other.status == 200)
    let beyond = try await node.send(
      "GET", ExchangePath.snapshot, headers: [("Range", "bytes=\(1 << 40)-")])
    #expect(beyond.code == .rangeNotSatisfiable)
    #expect(beyond.headers["content-range"]?.hasPrefix("bytes */") == true)
    try await world.stop()
  }

  private func write(_ bytes: [UInt8], to path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }
}

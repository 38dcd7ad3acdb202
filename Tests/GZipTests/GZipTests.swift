import Foundation
import GZip
import Testing

@Suite struct GZipTests {
  static let seed: UInt64 = 20_260_316
  static let texts: [[UInt8]] = [
    [], [0], Array("scope,kind,first\n".utf8),
    Array(String(repeating: "all,imei,49015420323751,,black,0,stolen\n", count: 20_000).utf8),
    noise(300_000),
  ]

  @Test(arguments: texts.indices, [1, 4_096, 1 << 20])
  func `what goes in comes out, and gzip agrees both ways`(text: Int, piece: Int) throws {
    let bytes = Self.texts[text]
    guard bytes.count < 100_000 || piece > 1 else { return }
    let packed = try compressed(bytes, piece: piece)
    #expect(try restored(packed, piece: piece) == bytes)
    #expect(try gzip(["-dc"], packed) == bytes)
    for level in ["-1", "-9"] {
      #expect(try restored(gzip(["-c", level], bytes), piece: piece) == bytes)
    }
  }

  @Test func `equal bytes become equal files`() throws {
    #expect(try compressed(Self.texts[3], piece: 17) == compressed(Self.texts[3], piece: 70_000))
  }

  @Test func `members one after the other are one text`() throws {
    let both = try compressed(Self.texts[3], piece: 999) + gzip(["-c"], Self.texts[2])
    for piece in [1, 18, 1 << 20] {
      #expect(try restored(both, piece: piece) == Self.texts[3] + Self.texts[2])
    }
    #expect(try gzip(["-dc"], both) == Self.texts[3] + Self.texts[2])
  }

  @Test func `each cut is noticed`() throws {
    let packed = try compressed(Self.texts[2], piece: 100)
    for count in 0..<packed.count {
      #expect(throws: GZipError.truncated) { try restored(Array(packed[..<count]), piece: 7) }
    }
  }

  @Test func `no flipped bit passes for other bytes`() throws {
    let packed = try compressed(Self.texts[2], piece: 100)
    for bit in 0..<packed.count * 8 {
      var other = packed
      other[bit / 8] ^= 1 << UInt8(bit % 8)
      // Time, system and text flag of the header say nothing about the content.
      do {
        #expect(try restored(other, piece: 50) == Self.texts[2], "bit \(bit)")
      } catch {
        #expect(error is GZipError)
      }
    }
  }

  @Test(arguments: [[0], [0x1F], [0x1F, 0x8B], Array("\n".utf8)] as [[UInt8]])
  func `what follows the end is noticed`(tail: [UInt8]) throws {
    let packed = try compressed(Self.texts[2], piece: 100)
    #expect(throws: GZipError.self) { try restored(packed + tail, piece: 1) }
    #expect(throws: GZipError.self) { try restored(packed + tail, piece: 1 << 20) }
  }

  @Test func `a bomb stops at its limit`() throws {
    let bomb = try compressed([UInt8](repeating: 0, count: 50_000_000), piece: 1 << 20)
    #expect(bomb.count < 60_000)
    let limit = 1_000_000
    #expect(throws: GZipError.tooLong(limitBytes: limit)) {
      try restored(bomb, piece: bomb.count, limit: limit)
    }
    let many = try (0..<200).flatMap { _ in try compressed(Self.texts[3], piece: 1 << 20) }
    #expect(throws: GZipError.tooLong(limitBytes: limit)) {
      try restored(many, piece: 512, limit: limit)
    }
  }

  @Test func `as much as the limit is not too much`() throws {
    let packed = try compressed(Self.texts[3], piece: 1 << 20)
    let count = Self.texts[3].count
    #expect(try restored(packed, piece: 777, limit: count).count == count)
    #expect(throws: GZipError.tooLong(limitBytes: count - 1)) {
      try restored(packed, piece: 777, limit: count - 1)
    }
  }
}

/// The same for the same seed, and not to be compressed.
private func noise(_ count: Int) -> [UInt8] {
  var state = GZipTests.seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: state >> 33)
  }
}

private func compressed(_ bytes: [UInt8], piece: Int) throws -> [UInt8] {
  let writer = try GZipWriter()
  var packed: [UInt8] = []
  for start in stride(from: 0, to: bytes.count, by: piece) {
    packed += writer.append(bytes[start..<min(start + piece, bytes.count)])
  }
  return packed + writer.finish()
}

private func restored(
  _ packed: [UInt8], piece: Int, limit: Int = 1 << 30
) throws -> [UInt8] {
  let reader = try GZipReader(limitBytes: limit)
  var bytes: [UInt8] = []
  for start in stride(from: 0, to: packed.count, by: piece) {
    reader.supply(packed[start..<min(start + piece, packed.count)])
    while let output = try reader.next() {
      #expect(output.count <= 65_536)
      bytes += output
    }
  }
  try reader.finish()
  return bytes
}

/// The real program, on files.
private func gzip(_ arguments: [String], _ bytes: [UInt8]) throws -> [UInt8] {
  let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
  defer { try? FileManager.default.removeItem(at: folder) }
  let (input, output) = (folder.appending(path: "in"), folder.appending(path: "out"))
  try Data(bytes).write(to: input)
  try Data().write(to: output)
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/gzip")
  process.arguments = arguments
  process.standardInput = try FileHandle(forReadingFrom: input)
  process.standardOutput = try FileHandle(forWritingTo: output)
  try process.run()
  process.waitUntilExit()
  #expect(process.terminationStatus == 0)
  return Array(try Data(contentsOf: output))
}

@Suite struct InflaterTests {
  @Test func `members are restored into the caller's memory, one after the other`() throws {
    let text = Array(String(repeating: "352099001761481,stolen\n", count: 400).utf8)
    let member = try GZipWriter().finished(text)
    let packed = member + member
    var inflater = try Inflater(.gzip)
    var restored: [UInt8] = []
    var used = 0
    var ends = 0
    var piece = [UInt8](repeating: 0, count: 1_000)
    while used < packed.count {
      let step = try packed[used..<min(used + 7, packed.count)].withUnsafeBytes { input in
        try piece.withUnsafeMutableBytes { try inflater.restore(input, into: $0) }
      }
      restored += piece[..<step.bytesMade]
      used += step.bytesUsed
      if step.hasEnded {
        ends += 1
        try inflater.restart()
      }
    }
    #expect(restored == text + text)
    #expect(ends == 2)
  }

  @Test func `what is not compressed is damaged`() throws {
    var inflater = try Inflater(.raw)
    var target = [UInt8](repeating: 0, count: 100)
    #expect(throws: GZipError.damaged) {
      _ = try [0xFF, 0xFF, 0xFF].withUnsafeBytes { input in
        try target.withUnsafeMutableBytes { try inflater.restore(input, into: $0) }
      }
    }
  }

  /// The check value of the catalogue of CRC algorithms for CRC-32/ISO-HDLC.
  @Test func `the check value is CRC-32`() {
    var check = CheckValue()
    for part in ["1234", "", "56789"] { Array(part.utf8).withUnsafeBytes { check.append($0) } }
    #expect(check.value == 0xCBF4_3926)
  }
}

extension GZipWriter {
  fileprivate func finished(_ bytes: [UInt8]) -> [UInt8] { append(bytes) + finish() }
}

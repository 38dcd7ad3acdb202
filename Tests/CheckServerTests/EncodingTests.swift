import Testing

@testable import CheckServer

struct EncodingTests {
  @Test(arguments: [
    (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),  // RFC 9110, 5.6.7
    (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
    (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
  ])
  func `the date is in the fixed form`(seconds: Int, text: String) {
    #expect(DateLine.text(secondsSinceEpoch: seconds) == text)
  }

  /// Indices of RFC 7541, appendix A; literals without indexing as in its 6.2.2.
  @Test func `header lines are literals that no table changes`() {
    var block = HeaderBlock(status: 405)
    block.add("allow", "GET")
    block.add("x-y", "z")
    var expected: [UInt8] = [0x08, 3]
    expected += Array("405".utf8)
    expected += [0x0F, 22 - 15, 3] + Array("GET".utf8)
    expected += [0x00, 3] + Array("x-y".utf8) + [1] + Array("z".utf8)
    #expect(block.bytes == expected)
    #expect(HeaderBlock(status: 200).bytes == [0x88])
  }

  /// The example of RFC 7541, C.1.2, with a prefix of seven bits: 1337 is 127 + 1210.
  @Test func `a long value has its length in several bytes`() {
    var block = HeaderBlock(status: 200)
    block.add("content-type", String(repeating: "a", count: 1_337))
    #expect(block.bytes[1...5] == [0x0F, 31 - 15, 127, 0b1011_1010, 9])
  }
}

import GZip
import Testing

@Suite struct GZipErrorTests {
  @Test func `a bomb is named with its limit`() {
    #expect(GZipError.tooLong(limitBytes: 7).description == "the gzip data holds more than 7 bytes")
  }
}

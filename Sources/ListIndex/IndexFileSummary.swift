internal import DeviceLists

/// What a file says of itself: to judge a download before it is installed.
package struct IndexFileSummary: Hashable, Sendable {
  package let head: IndexHead
  package let counts: SubjectCounts
  /// Of all bytes before the hash itself.
  package let sha256: [UInt8]
  /// What the sender put behind it, such as a signed checkpoint.
  package let trailer: [UInt8]
  package let byteCount: UInt64

  /// - Parameter verify: whether to read the whole file and compare its SHA-256.
  package init(path: String, verify: Bool) throws(ListIndexError) {
    let file = try MappedFile(path: path)
    do throws(ListIndexError) {
      let header = try IndexFileHeader(file.bytes)
      let ending = try FileEnding(file.bytes, header)
      if verify { try ending.verify(file.bytes) }
      head = header.head
      counts = header.counts
      sha256 = ending.sha256
      trailer = ending.trailer
    } catch {
      throw ListIndexError(error.code, path: path)
    }
    byteCount = UInt64(file.bytes.count)
  }
}

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
      self = try file.withBytes { (bytes) throws(ListIndexError) in
        try IndexFileSummary(bytes, verify: verify)
      }
    } catch {
      throw ListIndexError(error.code, path: path)
    }
  }

  private init(_ bytes: UnsafeRawBufferPointer, verify: Bool) throws(ListIndexError) {
    let header = try IndexFileHeader(bytes)
    let ending = try FileEnding(bytes, header)
    if verify { try ending.verify(bytes) }
    head = header.head
    counts = header.counts
    sha256 = ending.sha256
    trailer = ending.trailer
    byteCount = UInt64(bytes.count)
  }
}

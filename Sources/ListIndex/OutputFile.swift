internal import Glibc

/// Bytes on their way into a new file, a buffer at a time.
struct OutputFile: ~Copyable {
  private static let bufferByteCount = 1 << 20

  let path: String
  let descriptor: Int32
  private var buffer: [UInt8] = []
  private var written = 0

  init(path: String, startingAt offset: Int) throws(ListIndexError) {
    self.path = path
    descriptor = try FileSystem.create(path)
    written = offset
    buffer.reserveCapacity(Self.bufferByteCount + 4096)
  }

  deinit { close(descriptor) }

  /// Where the next byte goes.
  var offset: Int { written + buffer.count }

  mutating func append(_ bytes: UnsafeRawBufferPointer) throws(ListIndexError) {
    buffer.append(contentsOf: bytes)
    if buffer.count >= Self.bufferByteCount { try flush() }
  }

  mutating func append(_ bytes: [UInt8]) throws(ListIndexError) {
    buffer.append(contentsOf: bytes)
    if buffer.count >= Self.bufferByteCount { try flush() }
  }

  mutating func align(to alignment: Int) throws(ListIndexError) {
    let rest = offset % alignment
    if rest != 0 { try append([UInt8](repeating: 0, count: alignment - rest)) }
  }

  mutating func flush() throws(ListIndexError) {
    try FileSystem.write(buffer, to: descriptor, at: written, path)
    written += buffer.count
    buffer.removeAll(keepingCapacity: true)
  }
}

internal import CZlib

/// Restores compressed bytes straight into the caller's memory, as fast as zlib does.
///
/// Unchecked: zlib's state belongs to this one value, which cannot be copied.
package struct Inflater: ~Copyable, @unchecked Sendable {
  package enum Form: Sendable {
    /// With the header and the check values of gzip. RFC 1952.
    case gzip
    /// Nothing but compressed bytes, as in a zip file. RFC 1951.
    case raw
  }

  package struct Step: Sendable {
    package let bytesUsed: Int
    package let bytesMade: Int
    /// Whether the compressed data is at its end; of gzip, the member.
    package let hasEnded: Bool
  }

  private let state: UnsafeMutablePointer<z_stream>

  package init(_ form: Form) throws(GZipError) {
    let state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    state.initialize(to: z_stream())
    let windowBits = form == .gzip ? GZipStream.windowBits : -MAX_WBITS
    let status = inflateInit2_(state, windowBits, ZLIB_VERSION, GZipStream.byteCount)
    guard status == Z_OK else {
      state.deallocate()
      throw .noMemory
    }
    self.state = state
  }

  deinit {
    inflateEnd(state)
    state.deallocate()
  }

  /// Uses what it can of `input` and fills what it can of `target`.
  package mutating func restore(
    _ input: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) throws(GZipError) -> Step {
    let inputBytes = min(input.count, Int(UInt32.max))
    let targetBytes = min(target.count, Int(UInt32.max))
    // zlib only reads what `next_in` points to.
    state.pointee.next_in = UnsafeMutablePointer(
      mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
    state.pointee.avail_in = UInt32(inputBytes)
    state.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
    state.pointee.avail_out = UInt32(targetBytes)
    let status = inflate(state, Z_NO_FLUSH)
    switch status {
    case Z_OK, Z_BUF_ERROR, Z_STREAM_END: break
    case Z_MEM_ERROR: throw .noMemory
    default: throw .damaged
    }
    return Step(
      bytesUsed: inputBytes - Int(state.pointee.avail_in),
      bytesMade: targetBytes - Int(state.pointee.avail_out), hasEnded: status == Z_STREAM_END)
  }

  /// Begins with the next member of a gzip file.
  package mutating func restart() throws(GZipError) {
    guard inflateReset(state) == Z_OK else { throw .damaged }
  }
}

/// The CRC-32 that gzip and zip use. RFC 1952, 8.
package struct CheckValue: Sendable {
  package private(set) var value: UInt32 = 0

  package init() {}

  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    value = UInt32(truncatingIfNeeded: crc32_z(UInt(value), start, bytes.count))
  }
}

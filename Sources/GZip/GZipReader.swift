internal import CZlib

/// Restores gzip data piece by piece: one member or several, one after the other, as `gzip` reads
/// them. Memory: two pieces, whatever the data would become.
package final class GZipReader {
  private enum Place {
    /// Before the first member.
    case start
    case inMember
    case betweenMembers
  }

  private static let firstByteOfMember: UInt8 = 0x1F

  private let stream = GZipStream()
  private let limitBytes: Int
  private var restoredBytes = 0
  private var place = Place.start
  private var input = ContiguousArray<UInt8>()
  private var used = 0

  /// - Parameter limitBytes: the most that all members together may become.
  package init(limitBytes: Int) throws(GZipError) {
    self.limitBytes = limitBytes
    let status = inflateInit2_(
      stream.state, GZipStream.windowBits, ZLIB_VERSION, GZipStream.byteCount)
    guard status == Z_OK else { throw .noMemory }
  }

  deinit { inflateEnd(stream.state) }

  /// Hands over the next compressed bytes, of any number. Call ``next()`` until it has no more.
  package func supply(_ bytes: some Collection<UInt8>) {
    input.removeSubrange(..<used)
    input += bytes
    used = 0
  }

  /// Up to 64 KiB of restored bytes; nil where more compressed bytes are needed.
  package func next() throws(GZipError) -> [UInt8]? {
    while used < input.count {
      if place != .inMember { try enterMember() }
      let output = try restore()
      if !output.isEmpty { return output }
    }
    // What fits into no piece is still in zlib when the input is used up.
    let rest = place == .inMember ? try restore() : []
    return rest.isEmpty ? nil : rest
  }

  /// Called after the last byte: whether the data ended where it should.
  package func finish() throws(GZipError) {
    guard place == .betweenMembers else { throw .truncated }
  }

  private func enterMember() throws(GZipError) {
    if place == .betweenMembers {
      guard input[used] == Self.firstByteOfMember else { throw .trailingBytes }
      guard inflateReset(stream.state) == Z_OK else { throw .damaged }
    }
    place = .inMember
  }

  private func restore() throws(GZipError) -> [UInt8] {
    let (output, status) = input.withUnsafeBufferPointer { bytes in
      let step = stream.step(UnsafeBufferPointer(rebasing: bytes[used...])) {
        inflate($0, Z_NO_FLUSH)
      }
      used += step.used
      return (Array(step.output), step.status)
    }
    switch status {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END: place = .betweenMembers
    case Z_MEM_ERROR: throw .noMemory
    default: throw .damaged
    }
    restoredBytes += output.count
    guard restoredBytes <= limitBytes else { throw .tooLong(limitBytes: limitBytes) }
    return output
  }
}

internal import CZlib

/// Compresses bytes piece by piece into one gzip member, without name and time, so that equal
/// bytes become equal files.
package final class GZipWriter {
  private static let memoryLevel: Int32 = 8
  private let stream = GZipStream()

  /// - Parameter level: from 1, fast, to 9, small.
  package init(level: Int = 6) throws(GZipError) {
    let status = deflateInit2_(
      stream.state, Int32(level), Z_DEFLATED, GZipStream.windowBits, Self.memoryLevel,
      Z_DEFAULT_STRATEGY, ZLIB_VERSION, GZipStream.byteCount)
    guard status == Z_OK else { throw .noMemory }
  }

  deinit { deflateEnd(stream.state) }

  /// Compresses the next bytes; what comes out may lag behind.
  package func append(_ bytes: some Collection<UInt8>) -> [UInt8] {
    compress(ContiguousArray(bytes), Z_NO_FLUSH)
  }

  /// The end of the file. Nothing may follow.
  package func finish() -> [UInt8] { compress([], Z_FINISH) }

  /// With room for output and a state that was initialised, `deflate` does not fail.
  private func compress(_ bytes: ContiguousArray<UInt8>, _ flush: Int32) -> [UInt8] {
    var output: [UInt8] = []
    bytes.withUnsafeBufferPointer { input in
      var rest = input[...]
      repeat {
        let (used, piece, _) = stream.step(UnsafeBufferPointer(rebasing: rest)) {
          deflate($0, flush)
        }
        rest = rest.dropFirst(used)
        output += piece
      } while stream.state.pointee.avail_out == 0
    }
    return output
  }
}

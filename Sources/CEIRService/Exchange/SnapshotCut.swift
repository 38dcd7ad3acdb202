import Crypto
import DeviceLists
import Glibc
package import ListExchange
import ListIndex
import NIOCore

/// A feed's snapshot as a file. It stays readable for whoever holds this, also after the file was
/// removed to make room for a newer one.
///
/// Sendable: the descriptor is only read from, at given places, until `deinit`.
package final class SnapshotCut: Sendable {
  package let path: String
  package let checkpoint: Checkpoint
  package let byteCount: Int
  /// SHA-256 of the whole file, checkpoint and signature included: 64 hexadecimal digits.
  package let tag: String
  private let descriptor: Int32

  /// Cuts the file. Blocks.
  init(
    of lists: FeedLists, feed: Feed, massMarks: [MassMark], asOf now: Instant,
    signer: CheckpointSigner, in directory: String
  ) throws {
    let head = lists.all.indexHead
    path = "\(directory)/\(feed)-\(head.position)-\(UInt32.random(in: 0...(.max))).idx"
    var checkpoint = Checkpoint(
      registry: head.registry, epoch: head.epoch, feed: feed, after: .start,
      position: head.position, digest: lists.head.digest, contentHash: ContentHash(bytes: []),
      issuedAt: now, massMarks: massMarks)
    _ = try FeedFile.write(
      all: lists.all, own: lists.own, feed: feed, issuedAt: now, to: path
    ) { sha256 throws(ListIndexError) in
      checkpoint.contentHash = ContentHash(bytes: sha256)
      do throws(ExchangeError) {
        return try SignedCheckpoint(checkpoint, by: signer).json
      } catch {
        throw ListIndexError(.trailer(error.description))
      }
    }
    self.checkpoint = checkpoint
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError("The snapshot \(path) cannot be opened.") }
    (byteCount, tag) = try Self.measure(descriptor, path)
  }

  deinit { close(descriptor) }

  /// Takes the name away; the bytes go with the last reader.
  func unlist() throws {
    guard unlink(path) == 0 || errno == ENOENT else {
      throw FileError("The snapshot \(path) cannot be removed.")
    }
  }

  private static func measure(_ file: Int32, _ path: String) throws -> (Int, String) {
    var hash = SHA256()
    var place = 0
    while true {
      let piece = try read(file, path, at: place, count: 1 << 20)
      guard piece.readableBytes > 0 else { break }
      piece.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
      place += piece.readableBytes
    }
    return (place, Hexadecimal.text(hash.finalize()))
  }

  /// Blocks. Empty at the end of the file.
  func piece(at place: Int, count: Int) throws -> ByteBuffer {
    try Self.read(descriptor, path, at: place, count: count)
  }

  private static func read(
    _ file: Int32, _ path: String, at place: Int, count: Int
  ) throws -> ByteBuffer {
    var piece = ByteBuffer()
    try piece.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
      while true {
        let done = pread(file, bytes.baseAddress, count, off_t(place))
        if done < 0, errno == EINTR { continue }
        guard done >= 0 else { throw FileError("The snapshot \(path) cannot be read.") }
        return done
      }
    }
    return piece
  }
}

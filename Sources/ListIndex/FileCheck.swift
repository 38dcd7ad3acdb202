internal import Crypto
internal import Glibc

/// Compares the bytes of a file with the SHA-256 behind them. It reads beside the mapping, so that
/// a disk that fails gives an error here, and no signal.
final class FileCheck: Sendable {
  private static let pieceByteCount = 1 << 20

  private let path: String
  private let descriptor: Int32
  private let sealedByteCount: Int

  /// - Parameter path: where the file is by now.
  init(of index: MappedIndex, path: String) throws(ListIndexError) {
    self.path = path
    sealedByteCount = Int(index.header.sealedByteCount)
    descriptor = try FileSystem.openForReading(path)
  }

  deinit { close(descriptor) }

  func run() throws(ListIndexError) {
    var hasher = SHA256()
    var piece = [UInt8](repeating: 0, count: Self.pieceByteCount)
    var done = 0
    while done < sealedByteCount {
      let count = try read(
        into: &piece, at: done, most: min(piece.count, sealedByteCount - done))
      piece.withUnsafeBytes { hasher.update(bufferPointer: .init(rebasing: $0[..<count])) }
      done += count
    }
    var hash = [UInt8](repeating: 0, count: IndexLayout.hashByteCount)
    let count = try read(into: &hash, at: sealedByteCount, most: hash.count)
    guard count == hash.count, hasher.finalize().elementsEqual(hash) else {
      throw ListIndexError(.wrongHash, path: path)
    }
  }

  private func read(
    into piece: inout [UInt8], at offset: Int, most: Int
  ) throws(ListIndexError) -> Int {
    while true {
      let count = pread(descriptor, &piece, most, off_t(offset))
      if count > 0 { return count }
      if count == 0 { throw ListIndexError(.damaged("it has become shorter"), path: path) }
      guard errno == EINTR else { throw FileSystem.failure("read a file", path) }
    }
  }

  /// Whether the file is not what it was, or cannot be read where it should.
  func isDamage(_ error: ListIndexError) -> Bool {
    switch error.code {
    case .wrongHash, .damaged, .system(_, EIO): true
    default: false
    }
  }
}

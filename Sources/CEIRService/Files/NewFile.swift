import Crypto
import GZip
import Glibc
import ListExchange

/// A file while it is written; removed again unless it is finished.
final class NewFile {
  private let path: String
  private let file: Int32
  private var hash = SHA256()
  private(set) var byteCount = 0
  private var isFinished = false

  /// - Parameter mode: who may read it. Files for operators lie in folders that only they and the
  ///   registry may enter.
  init(_ path: String, mode: mode_t = 0o644) throws {
    self.path = path
    unlink(path)
    file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard file >= 0 else { throw FileError("The file \(path) cannot be made.") }
  }

  deinit {
    close(file)
    if !isFinished { unlink(path) }
  }

  func write(_ bytes: [UInt8]) throws {
    hash.update(data: bytes)
    byteCount += bytes.count
    try bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let count = Glibc.write(file, buffer.baseAddress! + done, buffer.count - done)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw FileError("The file \(path) cannot be written.") }
        done += count
      }
    }
  }

  /// Durable when it returns.
  func finish() throws -> ContentHash {
    guard fsync(file) == 0 else { throw FileError("The file \(path) cannot be made durable.") }
    isFinished = true
    return ContentHash(hash.finalize())
  }

  /// A small file, whole and durable.
  static func write(_ bytes: [UInt8], to path: String) throws {
    let file = try NewFile(path)
    try file.write(bytes)
    _ = try file.finish()
  }
}

/// The data file of a replication while it is written.
///
/// `@unchecked Sendable`: used by one task, which waits for each call.
final class ReplicationText: @unchecked Sendable {
  /// Bytes of text that are collected before they are packed and written.
  private static let pieceBytes = 1 << 20

  let compression: FileCompression
  private let file: NewFile
  private let gzip: GZipWriter?
  private var writer: ListFileWriter
  private var textHash = SHA256()

  init(_ path: String, _ kind: ReplicationName.Kind, _ compression: FileCompression) throws {
    self.compression = compression
    file = try NewFile(path)
    gzip = compression == .gzip ? try GZipWriter() : nil
    writer = ListFileWriter(kind)
  }

  var records: Int { writer.records }

  func append(_ write: (inout ListFileWriter) throws -> Void) throws {
    try write(&writer)
    if writer.byteCount >= Self.pieceBytes { try flush() }
  }

  /// The hash of the text, and what the manifest says of the file.
  func finish() throws -> (text: ContentHash, seal: FileSeal) {
    try flush()
    if let gzip { try file.write(gzip.finish()) }
    let text = ContentHash(textHash.finalize())
    return (
      text,
      FileSeal(compression: compression, bytes: file.byteCount, sha256: try file.finish())
    )
  }

  private func flush() throws {
    let piece = writer.take()
    textHash.update(data: piece)
    try file.write(gzip?.append(piece) ?? piece)
  }
}

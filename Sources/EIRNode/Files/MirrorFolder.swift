import Crypto
import DeviceLists
import GZip
import Glibc
import ListExchange

/// The mirror of the registry's outbox, as the node finds it.
struct MirrorFolder: Sendable {
  /// Names in the folder that are looked at in one pass.
  private static let mostNames = 100_000
  /// Names the number that is wanted next, for whoever mirrors.
  static let nextName = ".next"

  let path: String
  let done: FilesSettings.Done

  func prepare() throws(NodeError) {
    let folders = [path, path + "/damaged"] + (done == .keep ? [path + "/done"] : [])
    for folder in folders where mkdir(folder, 0o750) != 0 && errno != EEXIST {
      throw .system("make", path: folder)
    }
  }

  /// The replications whose manifests lie there, by rising numbers.
  func replications(of code: OperatorCode, in registry: RegistryName) throws(NodeError)
    -> [ReplicationName]
  {
    try names().compactMap { ReplicationName(manifest: $0) }
      .filter { $0.operatorCode == code && $0.registry == registry }
      .sorted { $0.number < $1.number }
  }

  /// Data files up to `last` whose manifests have gone: the node was killed while it removed them.
  func finishRemoving(
    of code: OperatorCode, in registry: RegistryName, upTo last: FileNumber
  ) throws(NodeError) {
    let names = Set(try names())
    for text in names {
      guard let (name, _) = ReplicationName.reading(data: text), name.operatorCode == code,
        name.registry == registry, name.number <= last, !names.contains(name.manifest)
      else { continue }
      try finish(name)
    }
  }

  private func names() throws(NodeError) -> [String] {
    guard let stream = opendir(path) else { throw .system("read", path: path) }
    defer { closedir(stream) }
    var names: [String] = []
    while names.count < Self.mostNames, let item = readdir(stream) {
      names.append(
        withUnsafeBytes(of: item.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        })
    }
    return names
  }

  func manifest(_ name: ReplicationName) throws(NodeError) -> ReplicationManifest {
    let source = "\(path)/\(name.manifest)"
    let plain = try PlainFile(source, or: .manifestUnusable)
    guard plain.bytes <= FileLimits.longestManifestBytes else {
      throw NodeError(
        ExchangeError(.manifestUnusable, "over \(FileLimits.longestManifestBytes) bytes"))
    }
    let bytes = try SmallFile.content(of: plain.file, path: source)
    do throws(ExchangeError) {
      let manifest = try ReplicationManifest(json: bytes)
      guard manifest.name == name else {
        throw ExchangeError(.manifestUnusable, "it is not the manifest of a file of this name")
      }
      return manifest
    } catch {
      throw NodeError(error)
    }
  }

  /// What is no longer needed: the manifest goes first, so that a data file never seems complete
  /// that has gone.
  func finish(_ name: ReplicationName) throws(NodeError) {
    try away(name, to: done == .keep ? path + "/done" : nil)
  }

  /// What cannot be believed is kept for people to look at; it is fetched again.
  func setAside(_ name: ReplicationName) throws(NodeError) {
    try away(name, to: path + "/damaged")
  }

  private func away(_ name: ReplicationName, to folder: String?) throws(NodeError) {
    for file in [name.manifest] + FileCompression.allCases.map({ name.data($0) }) {
      let source = "\(path)/\(file)"
      let isGone = folder.map { rename(source, "\($0)/\(file)") } ?? unlink(source)
      guard isGone == 0 || errno == ENOENT else { throw .system("move", path: source) }
    }
  }

  func wantsNext(_ number: FileNumber) throws(NodeError) {
    try SmallFile.replace("\(path)/\(Self.nextName)", with: Array("\(number)\n".utf8))
  }
}

/// Reads the data file of a replication and compares it with all that its manifest says.
struct ReplicationReader {
  private static let pieceBytes = 65_536

  let manifest: ReplicationManifest
  let path: String

  /// Nothing of what was handed out may be believed when this throws.
  ///
  /// - Parameter take: gets the lines in pieces.
  func read(_ take: ([ListFileReader.Row]) throws(NodeError) -> Void) throws(NodeError) {
    let plain = try PlainFile(path, or: .fileDiffers)
    var text = try TextReader(manifest)
    var fileHash = SHA256()
    var byteCount = 0
    var piece = [UInt8](repeating: 0, count: Self.pieceBytes)
    while true {
      let count = Glibc.read(plain.file, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system("read", path: path) }
      if count == 0 { break }
      byteCount += count
      guard byteCount <= manifest.file.bytes else { throw Self.differs("more bytes") }
      fileHash.update(data: piece[..<count])
      try text.append(Array(piece[..<count]), take)
    }
    guard byteCount == manifest.file.bytes else { throw Self.differs("fewer bytes") }
    guard ContentHash(fileHash.finalize()) == manifest.file.sha256 else {
      throw Self.differs("another SHA-256")
    }
    try text.finish()
  }

  static func differs(_ what: String) -> NodeError {
    NodeError(ExchangeError(.fileDiffers, what))
  }
}

/// The text of a replication, restored, hashed and read.
private struct TextReader {
  private let manifest: ReplicationManifest
  private let gzip: GZipReader?
  private var lines: ListFileReader
  private var hash = SHA256()
  private var byteCount = 0

  init(_ manifest: ReplicationManifest) throws(NodeError) {
    self.manifest = manifest
    lines = ListFileReader(manifest.name.kind, feed: manifest.checkpoint.checkpoint.feed)
    do throws(GZipError) {
      gzip =
        manifest.file.compression == .gzip
        ? try GZipReader(limitBytes: FileLimits.longestListBytes) : nil
    } catch {
      // Not the file's fault: it stays where it is and is tried again.
      throw NodeError(.disk, "no memory is left to unpack a file", underlying: error)
    }
  }

  mutating func append(
    _ bytes: [UInt8], _ take: ([ListFileReader.Row]) throws(NodeError) -> Void
  ) throws(NodeError) {
    guard let gzip else { return try text(bytes, take) }
    gzip.supply(bytes)
    while true {
      let piece: [UInt8]?
      do throws(GZipError) {
        piece = try gzip.next()
      } catch {
        throw Self.refusal(error)
      }
      guard let piece else { return }
      try text(piece, take)
    }
  }

  private mutating func text(
    _ bytes: [UInt8], _ take: ([ListFileReader.Row]) throws(NodeError) -> Void
  ) throws(NodeError) {
    byteCount += bytes.count
    guard byteCount <= FileLimits.longestListBytes else {
      throw NodeError(ExchangeError(.fileTooLong, "over \(FileLimits.longestListBytes) bytes"))
    }
    hash.update(data: bytes)
    let rows: [ListFileReader.Row]
    do throws(ExchangeError) {
      rows = try lines.rows(in: bytes)
      if manifest.name.kind == .incremental, lines.records > FileLimits.mostChanges {
        throw ExchangeError(.fileTooLong, "over \(FileLimits.mostChanges) changes")
      }
    } catch {
      throw NodeError(error)
    }
    try take(rows)
  }

  func finish() throws(NodeError) {
    do throws(GZipError) {
      try gzip?.finish()
    } catch {
      throw Self.refusal(error)
    }
    do throws(ExchangeError) {
      try lines.finish()
      guard lines.records == manifest.records else {
        throw ExchangeError(
          .recordCountDiffers, "\(lines.records) instead of \(manifest.records)")
      }
      guard ContentHash(hash.finalize()) == manifest.checkpoint.checkpoint.contentHash else {
        throw ExchangeError(.contentDiffers)
      }
    } catch {
      throw NodeError(error)
    }
  }

  private static func refusal(_ error: GZipError) -> NodeError {
    if case .tooLong = error {
      return NodeError(ExchangeError(.fileTooLong, error.description))
    }
    return NodeError(ExchangeError(.compressionDamaged, error.description))
  }
}

import Crypto
import DeviceLists
import GZip
import ListExchange
import RegistryStore

/// A node's file whose copy agrees with its manifest.
struct InboundFile: Sendable {
  let manifest: InboundManifest
  let manifestBytes: [UInt8]

  private var copyName: String { Inbox.workPrefix + manifest.dataFile }

  func copy(_ data: OpenFile, into folder: OperatorFolder) throws {
    guard data.byteCount == manifest.file.bytes else {
      throw ExchangeError(
        .fileDiffers, "\(data.byteCount) bytes instead of \(manifest.file.bytes)")
    }
    guard data.byteCount <= FileLimits.longestInboundBytes else {
      throw ExchangeError(.fileTooLong, "over \(FileLimits.longestInboundBytes) bytes")
    }
    let copy = try NewFile("\(folder.work)/\(copyName)", mode: 0o600)
    while copy.byteCount <= manifest.file.bytes, let piece = try data.next() {
      try copy.write(piece)
    }
    let hash = try copy.finish()
    guard copy.byteCount == manifest.file.bytes, hash == manifest.file.sha256 else {
      throw ExchangeError(.fileDiffers, "its SHA-256 is \(hash)")
    }
  }

  /// Its lines, understood or refused.
  func rows(in folder: OperatorFolder) throws -> [InboundFileReader.Row] {
    guard let copy = try OpenFile("\(folder.work)/\(copyName)") else {
      throw ExchangeError(.fileDiffers, "it has gone")
    }
    var reader = InboundFileReader(manifest.name.kind)
    var rows: [InboundFileReader.Row] = []
    do {
      try forEachPiece(of: copy) { rows += try reader.rows(in: $0) }
    } catch let error as GZipError {
      if case .tooLong = error { throw ExchangeError(.fileTooLong, error.description) }
      throw ExchangeError(.compressionDamaged, error.description)
    }
    rows += try reader.finish()
    guard reader.records == manifest.records else {
      throw ExchangeError(
        .recordCountDiffers, "\(reader.records) instead of \(manifest.records)")
    }
    return rows
  }

  private func forEachPiece(of file: OpenFile, _ take: ([UInt8]) throws -> Void) throws {
    guard manifest.file.compression == .gzip else {
      while let piece = try file.next() { try take(piece) }
      return
    }
    let gzip = try GZipReader(limitBytes: FileLimits.longestInboundBytes)
    while let piece = try file.next() {
      gzip.supply(piece)
      while let text = try gzip.next() { try take(text) }
    }
    try gzip.finish()
  }

  func record(_ outcome: InboundEffects.Outcome) throws -> InboundFileRecord {
    guard let kind = InboundFileRecord.Kind(rawValue: manifest.name.kind.rawValue) else {
      throw StoreError(.unfit, "There are no such files.")
    }
    return InboundFileRecord(
      number: Int64(manifest.name.number.number), kind: kind, fileName: manifest.dataFile,
      sha256: manifest.file.sha256.bytes, code: nil, taken: outcome.taken,
      refused: outcome.refusals.count, response: RefusalFile.bytes(outcome.refusals))
  }

  /// What was judged, not what may have become of it in the inbox.
  func archive(in folder: OperatorFolder) throws {
    try Folder.move("\(folder.work)/\(copyName)", to: "\(folder.archive)/\(manifest.dataFile)")
    try NewFile.write(manifestBytes, to: "\(folder.archive)/\(manifest.name.manifest)")
    try Folder.synchronize(folder.archive)
  }
}

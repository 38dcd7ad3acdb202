import AsyncHTTPClient
import DeviceLists
import ListExchange
import NIOCore
import NIOHTTP1
import NIOPosix

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Fetches a snapshot into a file, and goes on where an earlier attempt was cut, as long as the
/// registry still has the same file: RFC 9110, 13.1.5 and 14.2. What the file is worth is judged by
/// its own hash.
struct SnapshotDownload: Sendable {
  /// No list of all the devices of a large country comes near it.
  static let longestBytes = 1 << 35
  /// Written at a time; a snapshot that does not bring so much within the patience is given up.
  static let pieceBytes = 1 << 18
  private static let longestTag = 128

  let client: RegistryClient
  let path: String
  let threads: NIOThreadPool
  var patience = Duration.seconds(60)

  private var tagPath: String { path + ".etag" }

  /// A refusal by the registry, or nil: the file is there.
  func run(after position: Position?) async throws -> ExchangeProblem? {
    let start = try await threads.runIfActive { try begun() }
    if let problem = try await fetch(after: position, from: start) {
      guard problem.error.code == .rangeNotSatisfiable else { return problem }
      // A part that is longer than the file is of another file.
      try await threads.runIfActive { discard() }
      return try await fetch(after: position, from: nil)
    }
    return nil
  }

  /// What is left of a snapshot that is not wanted.
  func discard() {
    unlink(path)
    unlink(tagPath)
  }

  /// How much is there of which file; nil to begin anew.
  private func begun() throws(NodeError) -> (bytes: Int, tag: String)? {
    guard let tag = try SmallFile.content(of: tagPath), let bytes = Self.size(of: path),
      bytes > 0
    else {
      discard()
      return nil
    }
    return (bytes, String(decoding: tag, as: UTF8.self))
  }

  private static func size(of path: String) -> Int? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    let end = lseek(file, 0, SEEK_END)
    return end < 0 ? nil : Int(end)
  }

  private func fetch(
    after position: Position?, from start: (bytes: Int, tag: String)?
  ) async throws -> ExchangeProblem? {
    let watchdog = Watchdog(
      patience: patience, complaint: "the registry sends its snapshot too slowly")
    return try await watchdog.watch { progress in
      let hint = position.map { "?after=\($0)" } ?? ""
      let range = start.map { [("range", "bytes=\($0.bytes)-"), ("if-range", $0.tag)] }
      let response = try await client.ask(
        .GET, ExchangePath.snapshot + hint, headers: range ?? [], deadline: .distantFuture)
      guard response.status == .ok || response.status == .partialContent else {
        return try await RegistryClient.problem(response)
      }
      let offset = try await threads.runIfActive { try prepare(for: response, start) }
      try await save(response.body, from: offset, progress)
      return nil
    }
  }

  /// Where the body's first byte belongs.
  private func prepare(
    for response: HTTPClientResponse, _ start: (bytes: Int, tag: String)?
  ) throws(NodeError) -> Int {
    let tag = response.headers.first(name: "etag").flatMap { Self.isStrong($0) ? $0 : nil }
    if response.status == .partialContent {
      guard let start, tag == start.tag, Self.firstByte(of: response) == start.bytes else {
        discard()
        throw NodeError(
          .registryUnreachable, "the registry goes on with another part than was asked for")
      }
      return start.bytes
    }
    discard()
    if let tag { try SmallFile.replace(tagPath, with: Array(tag.utf8)) }
    return 0
  }

  private static func isStrong(_ tag: String) -> Bool {
    tag.utf8.count <= longestTag && tag.hasPrefix("\"") && tag.hasSuffix("\"")
      && tag.utf8.allSatisfy { 0x21...0x7E ~= $0 }
  }

  /// `bytes FIRST-LAST/LENGTH`.
  private static func firstByte(of response: HTTPClientResponse) -> Int? {
    guard let text = response.headers.first(name: "content-range"), text.hasPrefix("bytes ")
    else { return nil }
    return Int(text.dropFirst(6).prefix { $0 != "-" })
  }

  private func save(
    _ body: HTTPClientResponse.Body, from offset: Int, _ progress: Watchdog.Progress
  ) async throws {
    try await FileReceiver(path: path, threads: threads, most: Self.longestBytes)
      .receive(body, from: offset) { progress.made() }
  }
}

/// Writes what arrives into a file, a piece at a time, on threads that may wait.
struct FileReceiver: Sendable {
  let path: String
  let threads: NIOThreadPool
  /// Bytes of the whole file.
  let most: Int

  /// - Parameter made: told after each piece.
  func receive<Body: AsyncSequence>(
    _ body: Body, from offset: Int = 0, made: () -> Void
  ) async throws where Body.Element == ByteBuffer {
    let file = try await threads.runIfActive { try opened(at: offset) }
    defer { close(file) }
    var piece = ByteBuffer()
    var byteCount = offset
    var parts = body.makeAsyncIterator()
    while true {
      let part: ByteBuffer?
      do {
        part = try await parts.next()
      } catch {
        // What came before the cut need not come again; that it was cut is what is told.
        try? await write(piece, to: file)
        throw error
      }
      guard let part else { break }
      piece.writeImmutableBuffer(part)
      byteCount += part.readableBytes
      guard byteCount <= most else { throw ExchangeError(.tooLarge, "over \(most) bytes") }
      if piece.readableBytes >= SnapshotDownload.pieceBytes {
        try await write(piece, to: file)
        piece.clear()
        made()
      }
    }
    try await write(piece, to: file)
  }

  private func opened(at offset: Int) throws(NodeError) -> Int32 {
    let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o640)
    guard file >= 0 else { throw NodeError.system("write", path: path) }
    guard ftruncate(file, off_t(offset)) == 0, lseek(file, off_t(offset), SEEK_SET) >= 0 else {
      let error = NodeError.system("write", path: path)
      close(file)
      throw error
    }
    return file
  }

  private func write(_ piece: ByteBuffer, to file: Int32) async throws {
    try await threads.runIfActive {
      guard SmallFile.writeAll(piece.readableBytesView, to: file) else {
        throw NodeError.system("write", path: path)
      }
    }
  }
}

import DeviceLists
import ListExchange
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Messages that wait on disk until another side has them: one file of JSON lines for each, in
/// order.
///
/// A file's name holds the key of its message, so that it is the same message whenever it is sent
/// again. Files hold subscribers: only their owner reads them, and they go when they were taken.
final class MessageQueue: Sendable {
  struct Limits: Hashable, Sendable {
    var bytes: Int
    var files: Int
    /// Of one message.
    var messageBytes: Int
  }

  /// One message.
  struct Batch: Hashable, Sendable {
    var number: Int
    var key: IdempotencyKey
    var bytes: Int

    fileprivate var name: String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, 12 - digits.count)) + digits + "-\(key).ndjson"
    }
  }

  private let directory: String
  private let limits: Limits
  private let batches: Mutex<[Batch]>
  private let next: Mutex<Int>

  /// Finds what an earlier process has left.
  init(directory: String, limits: Limits) throws(NodeError) {
    self.directory = directory
    self.limits = limits
    guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
      throw .system("make", path: directory)
    }
    let found = try Self.found(in: directory)
    batches = Mutex(found)
    next = Mutex((found.last?.number ?? 0) + 1)
  }

  var count: Int { batches.withLock { $0.count } }
  var bytes: Int { batches.withLock { $0.reduce(0) { $0 + $1.bytes } } }
  var oldest: Batch? { batches.withLock { $0.first } }

  /// Whether more than half of the room is taken.
  var isNarrow: Bool { bytes > limits.bytes / 2 || count > limits.files / 2 }

  /// Puts one message on disk. False where there is no room for it.
  func append(_ content: [UInt8]) throws(NodeError) -> Bool {
    guard bytes + content.count <= limits.bytes, count < limits.files else { return false }
    let number = next.withLock { next in
      defer { next += 1 }
      return next
    }
    let batch = Batch(number: number, key: .random(), bytes: content.count)
    try SmallFile.replace(path(of: batch), with: content, mode: 0o600)
    do throws(NodeError) {
      try SmallFile.synchronize(directory: directory)
    } catch {
      // It will be put here again, and nobody would count this one.
      unlink(path(of: batch))
      throw error
    }
    batches.withLock { $0.append(batch) }
    return true
  }

  /// Nil where somebody has removed it: then it waits no more, and what is behind it goes on.
  func content(of batch: Batch) throws(NodeError) -> [UInt8]? {
    let file = open(path(of: batch), O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      guard errno == ENOENT else { throw .system("read", path: path(of: batch)) }
      forget(batch)
      return nil
    }
    defer { close(file) }
    return try SmallFile.content(
      of: file, path: path(of: batch), most: limits.messageBytes)
  }

  /// It was taken, or will never be.
  func remove(_ batch: Batch) throws(NodeError) {
    try SmallFile.remove(path(of: batch))
    forget(batch)
  }

  private func forget(_ batch: Batch) {
    batches.withLock { $0.removeAll { $0.number == batch.number } }
  }

  /// Removes a queue that is not used any more, where there is one.
  static func removeAll(in directory: String) throws(NodeError) {
    guard access(directory, F_OK) == 0 else { return }
    for batch in try found(in: directory) { try SmallFile.remove("\(directory)/\(batch.name)") }
    guard rmdir(directory) == 0 else { throw .system("remove", path: directory) }
  }

  private func path(of batch: Batch) -> String { "\(directory)/\(batch.name)" }

  private static func found(in directory: String) throws(NodeError) -> [Batch] {
    guard let stream = opendir(directory) else { throw .system("read", path: directory) }
    defer { closedir(stream) }
    var found: [Batch] = []
    while let item = readdir(stream) {
      let name = withUnsafeBytes(of: item.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      // What a crash has cut is not yet said: it is still only in the memory that is lost.
      if name.hasSuffix(".new") { unlink("\(directory)/\(name)") }
      guard let batch = batch(name, in: directory) else { continue }
      found.append(batch)
    }
    return found.sorted { $0.number < $1.number }
  }

  private static func batch(_ name: String, in directory: String) -> Batch? {
    guard name.hasSuffix(".ndjson") else { return nil }
    let parts = name.dropLast(".ndjson".count).split(separator: "-", maxSplits: 1)
    let file = open("\(directory)/\(name)", O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    guard parts.count == 2, let number = Int(parts[0]), let key = IdempotencyKey(String(parts[1]))
    else { return nil }
    let batch = Batch(number: number, key: key, bytes: Int(lseek(file, 0, SEEK_END)))
    return batch.name == name ? batch : nil
  }
}

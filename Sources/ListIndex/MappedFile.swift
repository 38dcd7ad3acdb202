internal import Glibc

/// A file in memory, read-only, for as long as somebody holds this.
///
/// Sendable: nothing writes to the mapping, and files of an index are replaced by renaming, never
/// changed; the memory is given back in `deinit` only.
final class MappedFile: @unchecked Sendable {
  /// Valid while this lives: use ``withBytes(_:)``, or keep this beside the pointer.
  let bytes: UnsafeRawBufferPointer

  var byteCount: Int { bytes.count }

  init(path: String) throws(ListIndexError) {
    let descriptor = try FileSystem.openForReading(path)
    defer { close(descriptor) }
    let size = try FileSystem.size(of: descriptor, path)
    guard size > 0 else { throw ListIndexError(.notAnIndex, path: path) }
    let address = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0)
    guard let address, address != MAP_FAILED else {
      throw FileSystem.failure("map a file", path)
    }
    bytes = UnsafeRawBufferPointer(start: address, count: size)
  }

  deinit {
    if let address = UnsafeMutableRawPointer(mutating: bytes.baseAddress) {
      munmap(address, bytes.count)
    }
  }

  func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(self) {} }
    return try body(bytes)
  }

  /// Asks the system to read ahead; only speed depends on it.
  func expectUse() {
    if let address = UnsafeMutableRawPointer(mutating: bytes.baseAddress) {
      _ = madvise(address, bytes.count, MADV_WILLNEED)
    }
  }
}

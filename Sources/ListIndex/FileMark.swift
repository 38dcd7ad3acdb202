internal import Glibc

/// Tells whether an open file is the one that was left, and as it was left: another of the same
/// size in its place, or one that was written over, is not.
package struct FileMark: Hashable, Sendable {
  private let device: UInt64
  private let number: UInt64
  package let byteCount: Int
  private let seconds: Int
  private let nanoseconds: Int

  /// Nil where the system cannot tell.
  package init?(of file: Int32) {
    var found = stat()
    guard fstat(file, &found) == 0 else { return nil }
    device = UInt64(truncatingIfNeeded: found.st_dev)
    number = UInt64(truncatingIfNeeded: found.st_ino)
    byteCount = Int(found.st_size)
    seconds = Int(found.st_mtim.tv_sec)
    nanoseconds = Int(found.st_mtim.tv_nsec)
  }
}

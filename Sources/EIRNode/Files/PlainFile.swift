import Glibc
import ListExchange

/// A file that somebody else has put there, open to be read. A link, a folder or another thing, or
/// nothing where its manifest says that it lies, is refused as one that cannot be believed.
struct PlainFile: ~Copyable {
  let file: Int32
  let bytes: Int

  init(_ path: String, or code: ExchangeCode) throws(NodeError) {
    // A pipe without a writer must not hold us.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard file >= 0 else {
      guard errno == ELOOP || errno == ENOENT else { throw .system("read", path: path) }
      throw NodeError(ExchangeError(code, errno == ELOOP ? "a link" : "it is not there"))
    }
    // A folder can be opened too, and a pipe has no end to be sought.
    let size = Self.isFolder(path) ? -1 : lseek(file, 0, SEEK_END)
    guard size >= 0, lseek(file, 0, SEEK_SET) == 0 else {
      close(file)
      throw NodeError(ExchangeError(code, "a folder or another thing that is no plain file"))
    }
    self.file = file
    bytes = Int(size)
  }

  private static func isFolder(_ path: String) -> Bool {
    let folder = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY | O_NONBLOCK)
    guard folder >= 0 else { return false }
    close(folder)
    return true
  }

  deinit { close(file) }
}

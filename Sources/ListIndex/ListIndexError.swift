package import DeviceLists
internal import Glibc

/// Why an index, its log or a change was refused. The list that was there stays as it was.
package struct ListIndexError: Error, Hashable, Sendable {
  package enum Code: Hashable, Sendable {
    /// A system call failed: a full disk is ENOSPC, EDQUOT or EFBIG.
    case system(operation: String, errno: Int32)
    case notAnIndex
    case newerVersion(UInt32)
    case damaged(String)
    /// A status or ground code that this version does not know.
    case unknownWord(String)
    /// The bytes are not those that the SHA-256 at the end was made of.
    case wrongHash
    case noList
    /// Of another registry, feed or scope.
    case otherList
    case otherEpoch(current: Epoch)
    case notNext(current: Position)
    case otherDigest(computed: ListDigest)
    case invalidDelta(String)
    case outOfOrder
    case tooMany(String)
    /// Another process writes in this directory.
    case busy
    case compacting
    /// Another list was installed while this work was under way.
    case superseded
    case trailer(String)
  }

  package let code: Code
  /// The file, for the log only.
  package let path: String?

  package init(_ code: Code, path: String? = nil) {
    self.code = code
    self.path = path
  }
}

extension ListIndexError: CustomStringConvertible, CustomDebugStringConvertible {
  package var description: String {
    switch code {
    case .system(let operation, let errno):
      "The list index could not \(operation): \(String(cString: strerror(errno)))."
    case .notAnIndex: "This is not a list index."
    case .newerVersion(let version):
      "The list index has format version \(version); this program reads version"
        + " \(IndexLayout.version). Install a newer program."
    case .damaged(let what): "The list index is damaged: \(what)."
    case .unknownWord(let word):
      "The list index uses the word “\(word)”, which this program does not know."
        + " Install a newer program."
    case .wrongHash: "The list index is damaged: its SHA-256 differs from its bytes."
    case .noList: "There is no list yet."
    case .otherList: "The list index belongs to another registry, feed or scope."
    case .otherEpoch(let current): "The change is not of the list's epoch, \(current)."
    case .notNext(let current): "The change does not start at the list's position, \(current)."
    case .otherDigest(let computed):
      "The change would give the digest \(computed), not the one that it names."
    case .invalidDelta(let reason): "The change is not valid: \(reason)."
    case .outOfOrder: "The entries are not in ascending order."
    case .tooMany(let what): "The list has too many \(what)."
    case .busy: "Another process writes to this list index."
    case .compacting: "The list index is being written anew already."
    case .superseded: "Another list was installed meanwhile."
    case .trailer(let reason): "The trailer of the list index was refused: \(reason)."
    }
  }

  package var debugDescription: String {
    path.map { "\(description) [\($0)]" } ?? description
  }
}

/// Why bytes could not be compressed or restored. RFC 1952.
package enum GZipError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Not gzip, or damaged: also where the check value or the length at the end differs.
  case damaged
  /// The end is missing.
  case truncated
  /// Something that is not gzip follows the end.
  case trailingBytes
  /// More came out than the caller allows.
  case tooLong(limitBytes: Int)
  case noMemory

  package var description: String {
    switch self {
    case .damaged: "the gzip data is damaged"
    case .truncated: "the gzip data ends too early"
    case .trailingBytes: "something follows the end of the gzip data"
    case .tooLong(let limit): "the gzip data holds more than \(limit) bytes"
    case .noMemory: "there is no memory to read or write gzip data"
    }
  }
}

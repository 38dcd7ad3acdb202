/// Why bytes could not be compressed or restored.
package enum GZipError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Not gzip, or damaged (RFC 1952).
  case damaged
  /// The end is missing.
  case truncated
  /// More came out than the caller allows.
  case tooLong(limitBytes: Int)

  package var description: String {
    switch self {
    case .damaged: "the gzip data is damaged"
    case .truncated: "the gzip data ends too early"
    case .tooLong(let limit): "the gzip data holds more than \(limit) bytes"
    }
  }
}

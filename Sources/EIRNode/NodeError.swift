import ExchangeTrust
package import ListExchange
import ListIndex

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What goes wrong in a node.
package struct NodeError: Error, Hashable, Sendable, CustomStringConvertible,
  CustomDebugStringConvertible
{
  package enum Code: Hashable, Sendable {
    /// Settings that make no sense; nothing was started.
    case settings
    /// Another process works on the same directory.
    case directoryInUse
    /// No room is left where the list is kept.
    case diskFull
    /// The machine does not let a file be read or written: by its disk, or for want of memory.
    case disk
    /// A file is not what it should be.
    case file
    /// What the registry sent is not to be believed.
    case refused(ExchangeCode)
    /// More would become black than the brake can hold.
    case tooManyToHold
    /// Certificates: ours, or those of the other side.
    case certificate
    /// The registry does not answer, or not in our language.
    case registryUnreachable
    /// The operator's own system does not take events.
    case webhook
    case nodeUnreachable
    case cannotListen
    case notAccepted
  }

  package let code: Code
  package let description: String
  package let debugDescription: String
  /// What the exchange has refused.
  package private(set) var refusal: ExchangeError?

  package init(_ code: Code, _ description: String, underlying: (any Error)? = nil) {
    self.code = code
    self.description = description
    let cause = underlying.map { String(reflecting: $0) } ?? description
    debugDescription = cause == description ? description : "\(description): \(cause)"
  }

  init(_ error: ExchangeError) {
    self.init(.refused(error.code), error.description)
    refusal = error
  }

  init(_ error: TrustError) {
    self.init(.certificate, error.description)
  }

  init(_ error: ListIndexError) {
    switch error.code {
    case .busy:
      self.init(
        .directoryInUse,
        "another eir process is using this directory; stop it, or give this one its own",
        underlying: error)
    case .system(_, let number) where [ENOSPC, EFBIG, EDQUOT].contains(number):
      self.init(.diskFull, "no room is left on the disk of the list", underlying: error)
    case .system: self.init(.disk, error.description, underlying: error)
    default: self.init(.file, error.description, underlying: error)
    }
  }

  static func system(_ what: String, path: String) -> NodeError {
    let number = errno
    let isFull = [ENOSPC, EFBIG, EDQUOT].contains(number)
    return NodeError(
      isFull ? .diskFull : .disk,
      isFull
        ? "no room is left on the disk of the list"
        : "cannot \(what) \(path): \(String(cString: strerror(number)))")
  }
}

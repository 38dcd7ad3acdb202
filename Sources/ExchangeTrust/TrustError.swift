/// Why a certificate, a key or a peer is not taken.
package struct TrustError: Error, Hashable, Sendable, CustomStringConvertible,
  CustomDebugStringConvertible
{
  package enum Code: Hashable, Sendable {
    /// A file is not there.
    case missing
    /// A file, a certificate or a key makes no sense.
    case unreadable
    case unwritable
    /// What would be overwritten must not be.
    case exists
    /// The key is of another certificate.
    case mismatch
    /// The chain does not lead to the registry's root.
    case untrusted
    case expired
    case notYetValid
    /// It names nobody, or somebody of another registry.
    case unnamed
    /// It names somebody else than is expected here.
    case wrongRole
    /// It is not made for this use.
    case wrongUse
    case revoked
    /// A limit on connections.
    case tooMany
    /// A certificate request that cannot be followed.
    case request
    /// A host name that no certificate can carry.
    case host
    /// The two sides did not agree to talk.
    case handshake
  }

  package let code: Code
  package let description: String
  package let debugDescription: String

  package init(_ code: Code, _ description: String, underlying: (any Error)? = nil) {
    self.code = code
    self.description = description
    debugDescription = underlying.map { "\(description): \(String(reflecting: $0))" } ?? description
  }

  init(_ code: Code, _ description: String, reasons: [String]) {
    self.code = code
    self.description = description
    debugDescription = ([description] + reasons).joined(separator: ": ")
  }
}

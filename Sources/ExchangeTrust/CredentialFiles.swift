import Crypto
package import X509

/// The three files by which a process shows itself and knows others: `NAME.pem` (leaf, issuing),
/// `NAME.key` and `root.pem`.
///
/// Two files cannot be replaced at once, so a new pair first lies beside the old one, whole and
/// durable, as `NAME.next.key` and `NAME.next.pem`; then the key takes its place, then the
/// certificate. Where that was cut between the two, whoever reads finishes it.
package struct CredentialFiles: Hashable, Sendable {
  package let directory: String
  package let name: String

  package init(directory: String, name: String) {
    self.directory = directory
    self.name = name
  }

  package var certificatePath: String { "\(directory)/\(name).pem" }
  package var keyPath: String { "\(directory)/\(name).key" }
  package var rootPath: String { "\(directory)/root.pem" }
  private static let mostReadings = 5
  private var nextCertificatePath: String { "\(directory)/\(name).next.pem" }
  private var nextKeyPath: String { "\(directory)/\(name).next.key" }

  /// Reads the pair, and finishes a replacement that was cut, or that somebody is about to finish.
  package func read() throws(TrustError) -> Credential {
    // Key and certificate may have been read before and after a replacement.
    for _ in 1..<Self.mostReadings {
      if let credential = try? readOnce() { return credential }
    }
    return try readOnce()
  }

  private func readOnce() throws(TrustError) -> Credential {
    let key = try PEMText.key(TrustFile.read(keyPath), from: keyPath)
    do throws(TrustError) {
      return try Credential(chain: chain(at: certificatePath), key: key)
    } catch {
      guard let chain = try? chain(at: nextCertificatePath),
        let next = try? Credential(chain: chain, key: key)
      else {
        guard error.code == .mismatch else { throw error }
        throw TrustError(
          .mismatch, "\(keyPath) is not the key of \(certificatePath): put back a matching pair")
      }
      try TrustFile.move(nextCertificatePath, to: certificatePath)
      try TrustFile.synchronize(directory: directory)
      return next
    }
  }

  package func readRoot() throws(TrustError) -> Certificate {
    try chain(at: rootPath)[0]
  }

  /// Replaces the pair; a reader sees the old or the new one.
  package func replace(with credential: Credential) throws(TrustError) {
    try TrustFile.replace(
      nextCertificatePath, with: PEMText.text(of: credential.chain), mode: TrustFile.publicMode)
    try TrustFile.replace(
      nextKeyPath, with: credential.key.pemRepresentation + "\n", mode: TrustFile.privateMode)
    try TrustFile.move(nextKeyPath, to: keyPath)
    try TrustFile.synchronize(directory: directory)
    do throws(TrustError) {
      try TrustFile.move(nextCertificatePath, to: certificatePath)
    } catch {
      // A reader has finished it meanwhile.
      guard try readOnce().leaf == credential.leaf else { throw error }
    }
    try TrustFile.synchronize(directory: directory)
  }

  /// Throws where a pair is there already: a key is never overwritten by a new one.
  ///
  /// - Parameter keepsKey: the holder has its key already, and only the certificate is missing.
  package func expectNone(keepsKey: Bool = false) throws(TrustError) {
    for path in keepsKey ? [certificatePath] : [keyPath, certificatePath]
    where TrustFile.exists(path) {
      throw TrustError(.exists, "\(path) is there already: name another folder, or move it away")
    }
  }

  /// Writes a pair where there must be none, and the root.
  package func create(_ credential: Credential, root: Certificate) throws(TrustError) {
    try expectNone()
    try TrustFile.makeDirectory(directory)
    try TrustFile.write(
      keyPath, credential.key.pemRepresentation + "\n", mode: TrustFile.privateMode)
    try TrustFile.write(
      certificatePath, PEMText.text(of: credential.chain), mode: TrustFile.publicMode)
    try TrustFile.replace(rootPath, with: root.pemText(), mode: TrustFile.publicMode)
  }

  /// Writes the certificates for a key that its holder keeps.
  package func create(chain: [Certificate], root: Certificate) throws(TrustError) {
    try expectNone(keepsKey: true)
    try TrustFile.makeDirectory(directory)
    try TrustFile.write(certificatePath, PEMText.text(of: chain), mode: TrustFile.publicMode)
    try TrustFile.replace(rootPath, with: root.pemText(), mode: TrustFile.publicMode)
  }

  /// What tells whether any of the three has changed.
  var stamps: [TrustFile.Stamp?] {
    [certificatePath, keyPath, rootPath].map(TrustFile.Stamp.init)
  }

  private func chain(at path: String) throws(TrustError) -> [Certificate] {
    try PEMText.certificates(TrustFile.read(path), from: path)
  }
}

package import DeviceLists
package import X509

/// The CEIR's `pki` folder: `root`, `issuing`, `ceir` and `signer`, each `.pem` and `.key`.
/// `root.key` may be kept elsewhere; without it no issuing certificate can be made.
package struct AuthorityFolder: Sendable {
  package let directory: String

  package init(directory: String) { self.directory = directory }

  package var ceir: CredentialFiles { CredentialFiles(directory: directory, name: "ceir") }
  package var signer: CredentialFiles { CredentialFiles(directory: directory, name: "signer") }
  package var rootKeyPath: String { files("root").keyPath }
  private func files(_ name: String) -> CredentialFiles {
    CredentialFiles(directory: directory, name: name)
  }

  package var exists: Bool { TrustFile.exists(files("root").rootPath) }
  package var hasRootKey: Bool { TrustFile.exists(rootKeyPath) }

  /// Makes everything in a folder beside, which takes its place at once: a folder that is there is
  /// whole, and never made anew.
  package func make(
    registry: RegistryName, hosts: [HostName], lifetimes: CertificateLifetimes = .init(),
    asOf now: Instant
  ) throws(TrustError) -> CertificateAuthority {
    let exists = TrustError(
      .exists,
      "\(directory) holds certificates already, and they are not made anew: every node trusts them")
    guard !TrustFile.exists(directory) else { throw exists }
    let made = try CertificateAuthority.make(registry: registry, lifetimes: lifetimes, asOf: now)
    let part = AuthorityFolder(directory: directory + ".part-\(made.root.leaf.serial)")
    try TrustFile.makeDirectory(part.directory)
    let authority = made.authority
    try part.files("root").create(made.root, root: made.root.leaf)
    try part.files("issuing").create(authority.issuingCredential, root: authority.root)
    try part.ceir.create(
      authority.issue(.ceir, hosts: hosts, days: lifetimes.ceirDays, asOf: now),
      root: authority.root)
    try part.signer.create(
      authority.issue(.signer, days: lifetimes.signerDays, asOf: now), root: authority.root)
    guard !TrustFile.exists(directory) else { throw exists }
    try TrustFile.move(part.directory, to: directory)
    try TrustFile.synchronize(directory: TrustFile.parent(of: directory))
    return authority
  }

  /// Reads root, issuing and its key.
  package func open() throws(TrustError) -> CertificateAuthority {
    guard exists else {
      throw TrustError(
        .missing, "\(directory) has no certificates of a registry: make them with ceir pki init")
    }
    let root = try files("root").readRoot()
    guard let registry = try ceirName()?.registry else {
      throw TrustError(.unnamed, "\(ceir.certificatePath) does not name a CEIR")
    }
    return CertificateAuthority(
      registry: registry, root: root, issuing: try files("issuing").read())
  }

  private func ceirName() throws(TrustError) -> PeerName? {
    try ceir.read().leaf.peerName
  }

  /// New certificates of the CEIR itself, not yet in place: they are noted first.
  package struct Renewal: Sendable {
    package let issuing: Credential?
    package let ceir: Credential
    package let signer: Credential

    package var leaves: [Certificate] { [ceir.leaf, signer.leaf] }
  }

  /// Makes new certificates with new keys for the CEIR itself.
  ///
  /// - Parameters:
  ///   - withIssuing: also a new issuing certificate, which needs `root.key`.
  ///   - hosts: nil for those that the present certificate has.
  package func makeRenewal(
    withIssuing: Bool = false, hosts: [HostName]? = nil,
    lifetimes: CertificateLifetimes = .init(), asOf now: Instant
  ) throws(TrustError) -> Renewal {
    var authority = try open()
    if withIssuing {
      guard hasRootKey else {
        throw TrustError(
          .missing, "\(rootKeyPath) is not there: bring it back from where it is kept, then renew")
      }
      authority = try CertificateAuthority.make(
        below: files("root").read(), registry: authority.registry, lifetimes, asOf: now)
    }
    let kept: [HostName]
    if let hosts { kept = hosts } else { kept = try ceir.read().leaf.hostNames }
    return Renewal(
      issuing: withIssuing ? try authority.issuingCredential : nil,
      ceir: try authority.issue(.ceir, hosts: kept, days: lifetimes.ceirDays, asOf: now),
      signer: try authority.issue(.signer, days: lifetimes.signerDays, asOf: now))
  }

  /// Puts what was made in place; what runs takes it up within a second.
  package func install(_ renewal: Renewal) throws(TrustError) {
    if let issuing = renewal.issuing { try files("issuing").replace(with: issuing) }
    try ceir.replace(with: renewal.ceir)
    try signer.replace(with: renewal.signer)
  }
}

extension Certificate {
  /// The names by which clients that check host names find this server.
  package var hostNames: [HostName] {
    guard let names = try? extensions.subjectAlternativeNames else { return [] }
    return names.compactMap(HostName.init(generalName:))
  }
}

extension Certificate {
  /// Whether two thirds of its life are over.
  package func shouldBeRenewed(asOf now: Instant) -> Bool {
    now.seconds(since: validFrom) >= validUntil.seconds(since: validFrom) / 3 * 2
  }
}

import DeviceLists
package import ExchangeTrust
package import ListExchange

/// What a node shows the registry and knows it by.
package struct NodeCredentials: Sendable {
  package let files: TrustedFiles
  package let instance: InstanceID

  /// Refuses a certificate of somebody else than the settings name.
  package init(_ settings: NodeSettings) throws(NodeError) {
    guard let directory = settings.tlsDirectory else {
      throw NodeError(.settings, "tls.directory is not set")
    }
    do throws(TrustError) {
      files = try TrustedFiles(CredentialFiles(directory: directory, name: "node"))
    } catch {
      throw NodeError(
        .settings,
        "tls.directory does not hold what the CEIR issues with ceir pki issue: \(error)",
        underlying: error)
    }
    let own = files.current.own
    guard own.registry == settings.registry, case .node(let code, _) = own.role,
      Feed(of: code) == settings.feed
    else {
      throw NodeError(
        .settings,
        "\(files.files.certificatePath) is of \(own), not of a node of the operator "
          + "\(settings.feed) in the registry \(settings.registry): check operator, registry and "
          + "tls.directory")
    }
    guard files.current.leadsToRoot else {
      throw NodeError(
        .settings,
        "\(files.files.certificatePath) does not come from the root.pem beside it: carry all files "
          + "of one ceir pki issue to tls.directory")
    }
    instance = try InstanceFile.obtain(directory: directory)
  }
}

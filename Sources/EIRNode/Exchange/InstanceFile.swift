import Crypto
package import ListExchange

/// What tells two machines apart that show one certificate: a random id that is made in the
/// directory at the first start, together with the machine's own. A directory that is copied takes
/// its id along, and is still another instance on another machine.
package enum InstanceFile {
  /// Linux: the same for all that runs on an installation of the system. machine-id(5).
  package static let machinePath = "/etc/machine-id"
  private static let longestMachineText = 256

  package static func obtain(
    directory: String, machinePath: String = machinePath
  ) throws(NodeError) -> InstanceID {
    let own = try ownID(path: directory + "/instance")
    // Where a system has none, or hides it, the directory's own has to do.
    let machine = (try? SmallFile.content(of: machinePath)) ?? []
    var hash = SHA256()
    hash.update(data: Array("openceir-instance-1\n\(own)\n".utf8))
    hash.update(data: machine.prefix(longestMachineText))
    let digits = ContentHash(hash.finalize()).description.prefix(32)
    guard let id = InstanceID(digits) else { return own }
    return id
  }

  private static func ownID(path: String) throws(NodeError) -> InstanceID {
    if let bytes = try SmallFile.content(of: path) {
      let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
      guard let id = InstanceID(text) else {
        throw NodeError(.file, "\(path) is no instance id: remove it, and a new one is made")
      }
      return id
    }
    var chance = SystemRandomNumberGenerator()
    let id = InstanceID(using: &chance)
    try SmallFile.replace(path, with: Array("\(id)\n".utf8))
    return id
  }
}

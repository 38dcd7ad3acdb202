package import DeviceIdentity
package import RegistryFiles

/// The types of device that a sample country is made of.
package enum SampleTypes {
  /// All TACs that a list of allocations holds, in its order.
  package static func read(
    _ source: consuming ByteSource, fileName: String
  ) throws(RegistryFileError) -> [TAC] {
    var file = try TACListFile(source, fileName: fileName)
    var types: [TAC] = []
    while let line = try file.next() {
      if case .row(let allocation) = line { types.append(allocation.tac) }
    }
    return types
  }
}

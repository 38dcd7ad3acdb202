package import DeviceLists

/// What a file is called: the same stem for the data file and its manifest.
/// `Schema/exchange/files.md`.
package protocol ExchangeFileName: Hashable, Sendable {
  var number: FileNumber { get }
  var stem: String { get }
  init?(stem: some StringProtocol)
}

extension ExchangeFileName {
  package static var manifestEnding: String { ".json" }

  package var manifest: String { stem + Self.manifestEnding }

  /// The data file.
  package func data(_ compression: FileCompression) -> String { stem + compression.ending }

  /// From the name of a manifest.
  package init?(manifest name: some StringProtocol) {
    guard name.hasSuffix(Self.manifestEnding) else { return nil }
    self.init(stem: name.dropLast(Self.manifestEnding.count))
  }

  /// From the name of a data file.
  package static func reading(
    data name: some StringProtocol
  ) -> (name: Self, compression: FileCompression)? {
    for compression in FileCompression.allCases where name.hasSuffix(compression.ending) {
      if let read = Self(stem: name.dropLast(compression.ending.count)) {
        return (read, compression)
      }
    }
    return nil
  }
}

extension FileCompression {
  package var ending: String {
    switch self {
    case .none: ".csv"
    case .gzip: ".csv.gz"
    }
  }
}

/// A file of the registry for an operator: `XA_alfa_000000012_full`.
package struct ReplicationName: ExchangeFileName {
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    /// The whole list at one position.
    case full
    /// The changes since the replication before.
    case incremental
  }

  package let registry: RegistryName
  package let operatorCode: OperatorCode
  package let number: FileNumber
  package let kind: Kind

  package init(
    registry: RegistryName, operatorCode: OperatorCode, number: FileNumber, kind: Kind
  ) {
    self.registry = registry
    self.operatorCode = operatorCode
    self.number = number
    self.kind = kind
  }

  package var stem: String {
    "\(Self.encoded(registry))_\(operatorCode)_\(number)_\(kind.rawValue)"
  }

  package init?(stem: some StringProtocol) {
    // Read from the end: only the registry's name may hold underscores of its own.
    let parts = stem.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count >= 4, let kind = Kind(rawValue: String(parts[parts.count - 1])),
      let number = FileNumber(digits: parts[parts.count - 2]),
      let code = OperatorCode(parts[parts.count - 3]),
      let registry = Self.decoded(parts.dropLast(3).joined(separator: "_"))
    else { return nil }
    self.init(registry: registry, operatorCode: code, number: number, kind: kind)
    guard self.stem == stem else { return nil }
  }

  /// A registry's name may hold characters that mean something in a path: all but letters, digits,
  /// `_`, `-` and a dot within are written as `%` and two hexadecimal digits. RFC 3986, 2.1.
  private static func encoded(_ registry: RegistryName) -> String {
    var text = ""
    for byte in registry.description.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F:
        text.unicodeScalars.append(Unicode.Scalar(byte))
      case 0x2E where !text.isEmpty: text += "."
      default: text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return text
  }

  private static func decoded(_ text: String) -> RegistryName? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == 0x25 else {
        bytes.append(byte)
        continue
      }
      guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
        return nil
      }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self).flatMap { RegistryName($0) }
  }
}

/// A file of a node for the registry: `alfa_eir-1_000000005_requests`.
package struct InboundName: ExchangeFileName {
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    /// Devices to block and to unblock.
    case requests
    /// The operator's own black list, whole.
    case ownFull = "own-full"
    /// What joins and leaves it.
    case ownDelta = "own-delta"
    case sightings
    /// Numbers of replications that are wanted again.
    case resend
    /// Where the node's list stands.
    case acknowledgement
  }

  package let operatorCode: OperatorCode
  package let node: NodeName
  package let number: FileNumber
  package let kind: Kind

  package init(operatorCode: OperatorCode, node: NodeName, number: FileNumber, kind: Kind) {
    self.operatorCode = operatorCode
    self.node = node
    self.number = number
    self.kind = kind
  }

  package var stem: String { "\(operatorCode)_\(node)_\(number)_\(kind.rawValue)" }

  package init?(stem: some StringProtocol) {
    let parts = stem.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count == 4, let code = OperatorCode(parts[0]), let node = NodeName(parts[1]),
      let number = FileNumber(digits: parts[2]), let kind = Kind(rawValue: String(parts[3]))
    else { return nil }
    self.init(operatorCode: code, node: node, number: number, kind: kind)
  }

  /// What became of it, as a whole.
  package var response: String { stem + ".response.json" }
  /// Its lines that were refused.
  package var refusals: String { stem + ".response.csv" }
}

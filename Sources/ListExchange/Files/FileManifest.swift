import DeviceLists

/// What a manifest says of the data file beside it.
package struct FileSeal: Hashable, Sendable {
  package var compression: FileCompression
  /// As it lies there, compressed or not.
  package var bytes: Int
  package var sha256: ContentHash

  package init(compression: FileCompression, bytes: Int, sha256: ContentHash) {
    self.compression = compression
    self.bytes = bytes
    self.sha256 = sha256
  }
}

/// Beside a file of the registry. Where it lies, the file is complete.
package struct ReplicationManifest: Hashable, Sendable {
  package var name: ReplicationName
  package var file: FileSeal
  /// Lines of the file without its header.
  package var records: Int
  /// The version of the exchange parameters that the file was written by.
  package var parametersVersion: Int
  /// Its hash is of the text of the file, before it was compressed.
  package var checkpoint: SignedCheckpoint

  package init(
    name: ReplicationName, file: FileSeal, records: Int, parametersVersion: Int,
    checkpoint: SignedCheckpoint
  ) {
    self.name = name
    self.file = file
    self.records = records
    self.parametersVersion = parametersVersion
    self.checkpoint = checkpoint
  }

  package var dataFile: String { name.data(file.compression) }
}

extension ReplicationManifest: JSONMessage {
  package static var refusal: ExchangeCode { .manifestUnusable }
  package static var longestBytes: Int { FileLimits.longestManifestBytes }

  package func write(into text: inout JSONText) {
    text.member("registry", name.registry.description)
    text.member("operator", name.operatorCode.description)
    text.member("number", UInt64(name.number.number))
    text.member("kind", name.kind.rawValue)
    file.write(into: &text, named: name)
    text.member("records", UInt64(clamping: records))
    text.member("parametersVersion", UInt64(clamping: parametersVersion))
    text.object("checkpoint", checkpoint)
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    name = ReplicationName(
      registry: try object.member("registry") { RegistryName($0) },
      operatorCode: try object.member("operator") { OperatorCode($0) },
      number: try object.fileNumber("number"),
      kind: try object.word("kind") { ReplicationName.Kind(rawValue: $0) })
    file = try FileSeal(in: object, of: name)
    records = try object.count("records", 0...Int.max)
    parametersVersion = try object.count("parametersVersion", 0...Int(Int32.max))
    guard let checkpoint: SignedCheckpoint = try object.object("checkpoint") else {
      throw object.unusable("checkpoint")
    }
    self.checkpoint = checkpoint
    let signed = checkpoint.checkpoint
    guard signed.registry == name.registry else { throw ExchangeError(.wrongRegistry) }
    guard signed.feed.ownOperator == name.operatorCode else { throw ExchangeError(.wrongFeed) }
    guard name.kind == .incremental || signed.after == .start else {
      throw ExchangeError(.wrongOrder, "a full file that starts after \(signed.after)")
    }
  }
}

/// Beside a file of a node.
package struct InboundManifest: Hashable, Sendable {
  package var name: InboundName
  package var file: FileSeal
  package var records: Int

  package init(name: InboundName, file: FileSeal, records: Int) {
    self.name = name
    self.file = file
    self.records = records
  }

  package var dataFile: String { name.data(file.compression) }
}

extension InboundManifest: JSONMessage {
  package static var refusal: ExchangeCode { .manifestUnusable }
  package static var longestBytes: Int { FileLimits.longestManifestBytes }

  package func write(into text: inout JSONText) {
    text.member("operator", name.operatorCode.description)
    text.member("node", name.node.description)
    text.member("number", UInt64(name.number.number))
    text.member("kind", name.kind.rawValue)
    file.write(into: &text, named: name)
    text.member("records", UInt64(clamping: records))
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    name = InboundName(
      operatorCode: try object.member("operator") { OperatorCode($0) },
      node: try object.member("node") { NodeName($0) },
      number: try object.fileNumber("number"),
      kind: try object.word("kind") { InboundName.Kind(rawValue: $0) })
    file = try FileSeal(in: object, of: name)
    records = try object.count("records", 0...Int.max)
  }
}

extension FileSeal {
  fileprivate func write(into text: inout JSONText, named name: some ExchangeFileName) {
    text.open("file")
    text.member("name", name.data(compression))
    text.member("bytes", UInt64(clamping: bytes))
    text.member("sha256", sha256.description)
    text.close()
  }

  /// The name must be the manifest's own stem: a manifest names no file elsewhere.
  fileprivate init(
    in object: JSONValue, of name: some ExchangeFileName
  ) throws(ExchangeError) {
    guard let file = object["file"] else { throw object.unusable("file") }
    compression = try file.member("name") { text in
      FileCompression.allCases.first { name.data($0) == text }
    }
    bytes = try file.count("bytes", 0...Int.max)
    sha256 = try file.member("sha256") { ContentHash($0) }
  }
}

extension JSONValue {
  func fileNumber(_ name: String) throws(ExchangeError) -> FileNumber {
    guard let number = FileNumber(try number(name)) else { throw unusable(name) }
    return number
  }
}

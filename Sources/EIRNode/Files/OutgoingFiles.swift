import Crypto
import DeviceLists
import ListExchange

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Files of the node for its registry, numbered, in a folder that something else empties.
///
/// The last number is kept with its content. What may not have reached the folder before a crash is
/// written again at the next start, byte for byte: the registry knows a repetition when it sees it.
///
/// `@unchecked Sendable`: used by one task, which waits for each call.
final class OutgoingFiles: @unchecked Sendable {
  private let folder: String
  private let statePath: String
  private let code: OperatorCode
  private let node: NodeName
  private var last: Int

  /// - Parameter statePath: a file of the node's own.
  init(
    folder: String, statePath: String, code: OperatorCode, node: NodeName
  ) throws(NodeError) {
    self.folder = folder
    self.statePath = statePath
    self.code = code
    self.node = node
    guard mkdir(folder, 0o750) == 0 || errno == EEXIST else {
      throw .system("make", path: folder)
    }
    last = 0
    guard let bytes = try SmallFile.content(of: statePath) else { return }
    // A line with number and kind, then the file.
    let parts = bytes.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
    let words = String(decoding: parts[0], as: UTF8.self).split(separator: " ")
    guard parts.count == 2, words.count == 2, let number = FileNumber(Int(words[0]) ?? 0),
      let kind = InboundName.Kind(rawValue: String(words[1]))
    else { throw NodeError(.file, "\(statePath) cannot be understood") }
    last = number.number
    try put(number, kind, Array(parts[1]))
  }

  func write(_ kind: InboundName.Kind, _ records: [InboundRecord]) throws(NodeError) {
    guard let number = FileNumber(last + 1) else {
      throw NodeError(.file, "all numbers of files are used up")
    }
    var writer = InboundFileWriter(kind)
    for record in records { writer.append(record) }
    try SmallFile.replace(
      statePath, with: Array("\(number.number) \(kind.rawValue)\n".utf8) + writer.bytes)
    last = number.number
    try put(number, kind, writer.bytes)
  }

  private func put(
    _ number: FileNumber, _ kind: InboundName.Kind, _ bytes: [UInt8]
  ) throws(NodeError) {
    let name = InboundName(operatorCode: code, node: node, number: number, kind: kind)
    let lines = bytes.count { $0 == 0x0A }
    let manifest = InboundManifest(
      name: name,
      file: FileSeal(
        compression: .none, bytes: bytes.count,
        sha256: ContentHash(SHA256.hash(data: bytes))),
      records: max(0, lines - 1))
    try appear(bytes, as: name.data(.none))
    try appear(manifest.json, as: name.manifest)
  }

  /// A name that begins with a dot is not looked at.
  private func appear(_ bytes: [UInt8], as name: String) throws(NodeError) {
    try SmallFile.replace("\(folder)/.\(name)", with: bytes)
    guard rename("\(folder)/.\(name)", "\(folder)/\(name)") == 0 else {
      throw .system("rename", path: "\(folder)/\(name)")
    }
  }
}

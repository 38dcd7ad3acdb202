import DeviceLists

/// What a running node does besides keeping its list.
extension StatusReport {
  /// How a device on no list is answered, and what goes before everything else.
  package struct Deciding: Hashable, Codable, Sendable {
    package var mode: String
    /// Rules that name another mode for some.
    package var modeRules: Int

    init(_ settings: DecisionSettings) {
      mode = settings.mode.description
      modeRules = settings.modeRules.rules.count
    }
  }

  package struct Listener: Hashable, Codable, Sendable {
    /// `n17`, `s13`, `s13.tls`, `s13.sctp`, `gsup`, `exchange` or `admin`.
    package var name: String
    package var address: String

    init(_ name: String, _ address: SocketAddress) {
      self.name = name
      self.address = address.description
    }
  }

  package struct GSUP: Hashable, Codable, Sendable {
    package var connections: Int
    /// False from the moment at which the HLR could not be reached until it is.
    package var hlrReachable: Bool
  }

  /// What was noted and is not yet where it goes.
  package struct Waiting: Hashable, Codable, Sendable {
    package var inMemory: Int
    package var messagesOnDisk: Int
    package var bytesOnDisk: Int

    init(inMemory: Int, _ queue: MessageQueue) {
      self.inMemory = inMemory
      messagesOnDisk = queue.count
      bytesOnDisk = queue.bytes
    }
  }

  /// Keys or certificates that are read again when their files change.
  package struct KeyFiles: Hashable, Codable, Sendable {
    /// Such as `the certificates of N17`.
    package var what: String
    /// The last second of the certificate that is shown; nil for keys.
    package var certificateEnds: String?
    /// Why the files cannot be used as they are now; then what was read before is in use.
    package var trouble: String?
  }
}

extension StatusReport {
  var serviceLines: [String] {
    var lines: [String] = []
    if let listeners {
      let names = listeners.map { "\($0.name) \($0.address)" }
      lines.append("  answers on \(names.joined(separator: ", "))")
    }
    if let gsup {
      let clients = gsup.connections == 1 ? "1 client" : "\(gsup.connections) clients"
      lines.append("  GSUP       \(clients), the HLR is \(gsup.hlrReachable ? "there" : "away")")
    }
    if let events { lines.append("  events     \(events.text)") }
    if let sightings { lines.append("  sightings  \(sightings.text)") }
    for file in keyFiles ?? [] { lines += file.lines }
    return lines
  }
}

extension StatusReport.Deciding {
  var line: String {
    let rules = modeRules == 1 ? ", 1 rule for some" : ", \(modeRules) rules for some"
    return "  mode       \(mode)\(modeRules == 0 ? "" : rules)"
  }
}

extension StatusReport.Waiting {
  fileprivate var text: String {
    inMemory + messagesOnDisk == 0
      ? "none is waiting"
      : "\(inMemory) waiting in memory, \(bytesOnDisk) bytes in \(messagesOnDisk) messages on disk"
  }
}

extension StatusReport.KeyFiles {
  fileprivate var lines: [String] {
    let ends = certificateEnds.map { ", valid until \($0)" } ?? ""
    let state = trouble == nil ? "as in the files" : "NOT as in the files"
    let line = "  keys       \(what): \(state)\(ends)"
    return [line] + (trouble.map { ["             \($0)"] } ?? [])
  }
}

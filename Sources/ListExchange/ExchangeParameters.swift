import DeviceLists
import Foundation

/// How the registry and a node exchange lists: a version of it is proposed by the registry and
/// confirmed by the node. ITU-T Q Suppl. 76, 9.1.
package struct ExchangeParameters: Hashable, Sendable {
  package enum Style: String, Hashable, Sendable, CaseIterable {
    /// The node asks.
    case follow
    /// The registry sends, and the answer says that it is on disk.
    case push
    /// The registry sends, and the node acknowledges when it is on disk.
    case pushAsync
    case files

    package var isPushed: Bool { self == .push || self == .pushAsync }
  }

  /// What a delta may hold, and how long a silence may last.
  package struct Window: Hashable, Sendable {
    /// From the most that the registry publishes at once, which is never divided.
    package static let changesAllowed = 10_000...20_000
    package static let secondsAllowed = 1...3_600

    /// Changes in one delta.
    package var changes: Int
    /// A quiet feed is confirmed by a checkpoint at least so often.
    package var seconds: Int

    package init(changes: Int = 10_000, seconds: Int = 60) {
      self.changes = changes
      self.seconds = seconds
    }
  }

  package struct Files: Hashable, Sendable {
    package static let secondsAllowed = 1...2_678_400

    package var compression: FileCompression
    package var fullSeconds: Int
    package var incrementalSeconds: Int

    package init(
      compression: FileCompression = .none, fullSeconds: Int = 86_400, incrementalSeconds: Int = 300
    ) {
      self.compression = compression
      self.fullSeconds = fullSeconds
      self.incrementalSeconds = incrementalSeconds
    }
  }

  package struct Sightings: Hashable, Sendable {
    package enum Amount: String, Hashable, Sendable, CaseIterable {
      case all, sampled, off
    }

    package static let oneInAllowed = 1...1_000_000

    package var send: Amount
    /// Of those that are neither grey nor black, one in so many is sent where they are sampled.
    package var oneIn: Int

    package init(send: Amount = .all, oneIn: Int = 10) {
      self.send = send
      self.oneIn = oneIn
    }
  }

  /// 1, 2, 3 …; 0 for those in force where nothing was ever proposed.
  package var version: Int
  package var style: Style
  /// The position, with ``Style/files`` the replication, from which they are in force.
  package var effectiveAfter: UInt64
  /// Where a node is pushed to: `https://HOST:PORT`.
  package var endpoint: String?
  package var window: Window
  package var files: Files?
  package var sightings: Sightings

  package init(
    version: Int = 0, style: Style = .follow, effectiveAfter: UInt64 = 0,
    endpoint: String? = nil, window: Window = Window(), files: Files? = nil,
    sightings: Sightings = Sightings()
  ) {
    self.version = version
    self.style = style
    self.effectiveAfter = effectiveAfter
    self.endpoint = endpoint
    self.window = window
    self.files = files
    self.sightings = sightings
  }

  /// What cannot be: a node to push to without an endpoint, a number outside its limits.
  package func checked() throws(ExchangeError) -> ExchangeParameters {
    try Self(JSONValue(bytes: json))
  }
}

extension ExchangeParameters: JSONMessage {
  package func write(into text: inout JSONText) {
    text.member("version", UInt64(clamping: version))
    text.member("style", style.rawValue)
    text.member("effectiveAfter", effectiveAfter)
    if let endpoint { text.member("endpoint", endpoint) }
    text.object("window", window)
    if let files { text.object("files", files) }
    text.object("sightings", sightings)
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    version = try object.count("version", 0...Int(Int32.max))
    style = try object.word("style") { Style(rawValue: $0) }
    effectiveAfter = try object.position("effectiveAfter").number
    endpoint = try object.optional("endpoint") { Self.isEndpoint($0) ? $0 : nil }
    window = try object.object("window") ?? Window()
    files = try object.object("files")
    sightings = try object.object("sightings") ?? Sightings()
    guard endpoint != nil || !style.isPushed else { throw object.unusable("endpoint") }
  }

  /// `https://`, then printable ASCII without a path.
  private static func isEndpoint(_ text: String) -> Bool {
    guard text.utf8.count <= ExchangeLimits.longestEndpointBytes,
      let url = URLComponents(string: text), url.string == text, url.scheme == "https",
      url.host?.isEmpty == false, 1...65_535 ~= url.port ?? 443
    else { return false }
    // Nothing but host and port.
    var bare = URLComponents()
    (bare.scheme, bare.host, bare.port) = (url.scheme, url.host, url.port)
    return bare == url
  }
}

extension ExchangeParameters.Window: JSONMessage {
  package func write(into text: inout JSONText) {
    text.member("changes", UInt64(clamping: changes))
    text.member("seconds", UInt64(clamping: seconds))
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    changes = try object.count("changes", Self.changesAllowed)
    seconds = try object.count("seconds", Self.secondsAllowed)
  }
}

extension ExchangeParameters.Files: JSONMessage {
  package func write(into text: inout JSONText) {
    text.member("compression", compression.rawValue)
    text.member("fullSeconds", UInt64(clamping: fullSeconds))
    text.member("incrementalSeconds", UInt64(clamping: incrementalSeconds))
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    compression = try object.word("compression") { FileCompression(rawValue: $0) }
    fullSeconds = try object.count("fullSeconds", Self.secondsAllowed)
    incrementalSeconds = try object.count("incrementalSeconds", Self.secondsAllowed)
  }
}

extension ExchangeParameters.Sightings: JSONMessage {
  package func write(into text: inout JSONText) {
    text.member("send", send.rawValue)
    text.member("oneIn", UInt64(clamping: oneIn))
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    send = try object.word("send") { Amount(rawValue: $0) }
    oneIn = try object.count("oneIn", Self.oneInAllowed)
  }
}

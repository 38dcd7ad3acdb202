package import DeviceLists

/// Where a node's list stands, as it says to others.
package struct Standing: Hashable, Sendable, CustomStringConvertible {
  package var epoch: Epoch
  package var position: Position
  /// Of the whole feed at ``position``.
  package var digest: ListDigest

  package init(epoch: Epoch, position: Position, digest: ListDigest) {
    self.epoch = epoch
    self.position = position
    self.digest = digest
  }

  package init(_ head: ListHead) {
    self.init(epoch: head.epoch, position: head.position, digest: head.digest)
  }

  package var description: String { "\(position) of \(epoch)" }
}

extension Standing: JSONMessage {
  package func write(into text: inout JSONText) {
    text.member("epoch", epoch.description)
    text.member("position", position.number)
    text.member("digest", digest.description)
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    epoch = try object.member("epoch") { Epoch($0) }
    position = try object.position("position")
    digest = try object.member("digest") { ListDigest($0) }
  }

  /// Nil where none of the three members is there.
  static func optional(in object: JSONValue) throws(ExchangeError) -> Standing? {
    let names = ["epoch", "position", "digest"]
    guard names.contains(where: { object[$0] != nil }) else { return nil }
    return try Standing(object)
  }
}

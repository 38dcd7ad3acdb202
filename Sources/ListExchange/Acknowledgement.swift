/// `POST /exchange/v1/acknowledgements`: what a node has on disk.
package struct Acknowledgement: Hashable, Sendable {
  package var standing: Standing
  /// Subjects that the node's brake holds.
  package var held: Int

  package init(standing: Standing, held: Int) {
    self.standing = standing
    self.held = held
  }
}

extension Acknowledgement: JSONRequest {
  package func write(into text: inout JSONText) {
    standing.write(into: &text)
    text.member("held", UInt64(clamping: held))
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    standing = try Standing(object)
    held = try object.count("held", 0...Int.max)
  }
}

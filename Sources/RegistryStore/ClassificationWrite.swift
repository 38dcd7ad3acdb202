package import DeviceLists

/// What a run changes for one device and one condition, ready to be stored.
package struct ClassificationWrite: Sendable {
  /// −1: `identity` is no IMEI.
  package let imei: Int64
  package let identity: String
  /// The open classification that ends, or gives way to this one; 0: there was none.
  package let ended: Int64
  /// Its ground; 0: there is none.
  package let endedGround: Int64
  /// Days since 1970. Nil: the classification ends and none follows.
  package let since: Int32?
  /// Nil: no block, or none yet.
  package let blockOn: Int32?
  package let hasAmnesty: Bool

  package init(
    imei: Int64, identity: String, ended: Int64, endedGround: Int64, since: Int32?,
    blockOn: Int32?, hasAmnesty: Bool
  ) {
    self.imei = imei
    self.identity = identity
    self.ended = ended
    self.endedGround = endedGround
    self.since = since
    self.blockOn = blockOn
    self.hasAmnesty = hasAmnesty
  }
}

/// The grounds that a condition gives.
package struct ConditionGround: Sendable {
  package let label: String
  package let code: GroundCode
  package let reason: String
  /// Whether devices are grey until they are black.
  package let isGreyBefore: Bool

  package init(label: String, code: GroundCode, reason: String, isGreyBefore: Bool) {
    self.label = label
    self.code = code
    self.reason = reason
    self.isGreyBefore = isGreyBefore
  }

  /// Ends only its own grounds.
  package static func source(_ label: String) -> String { "condition:\(label)" }
}

package import DeviceLists

/// A named set of dimensions, and what becomes of the devices on which all of them agree.
package struct Condition: Hashable, Sendable {
  static let labelLengths = 1...32
  static let mostDimensions = 16
  static let graceDays = 0...3_650
  static let shares = 0.0001...1.0

  /// One of its questions.
  package struct Part: Hashable, Sendable {
    package let dimension: Dimension
    /// Of the devices that a network has seen, those on which the dimension does not agree.
    package let isInverted: Bool

    package init(_ dimension: Dimension, inverted isInverted: Bool = false) {
      self.dimension = dimension
      self.isInverted = isInverted
    }
  }

  /// Lower-case letters, digits and hyphens: the name for ever.
  package let label: String
  /// At least one is not inverted.
  package let parts: [Part]
  /// Between the day on which a device is found and the day on which it is blocked.
  package let graceDays: Int
  /// Whether devices are blocked at all; else they are counted.
  package let isBlocking: Bool
  /// Whether a device stays found when the dimensions no longer agree on it.
  package let isSticky: Bool
  /// Why, in a word; with ``isBlocking`` always given.
  package let groundCode: GroundCode?
  /// Why, in the words that a subscriber reads.
  package let reason: String
  package let isAmnestyEligible: Bool
  /// Of the population: a run in which it finds a larger share stops and changes nothing.
  package let mostMatching: Double
  /// Whether a device is grey until it is black.
  package let isGreyDuringGrace: Bool

  package init(
    label: String, parts: [Part], graceDays: Int = 30, isBlocking: Bool = false,
    isSticky: Bool = false, groundCode: GroundCode? = nil, reason: String,
    isAmnestyEligible: Bool = false, mostMatching: Double = 0.1, isGreyDuringGrace: Bool = false
  ) throws(RuleError) {
    self.label = label
    self.parts = parts
    self.graceDays = graceDays
    self.isBlocking = isBlocking
    self.isSticky = isSticky
    self.groundCode = groundCode
    self.reason = reason
    self.isAmnestyEligible = isAmnestyEligible
    self.mostMatching = mostMatching
    self.isGreyDuringGrace = isGreyDuringGrace
    try check()
  }

  private func check() throws(RuleError) {
    guard Self.isLabel(label) else {
      throw RuleError(
        "condition",
        "label must be 1 to 32 lower-case letters, digits and hyphens, a hyphen not first")
    }
    func refuse(_ reason: String) -> RuleError { RuleError("condition \(label)", reason) }
    guard !parts.isEmpty else { throw refuse("dimensions is empty") }
    guard parts.count <= Self.mostDimensions else {
      throw refuse("dimensions has more than \(Self.mostDimensions) entries")
    }
    guard parts.contains(where: { !$0.isInverted }) else {
      throw refuse(
        "at least one dimension must not be inverted: else it finds every device but a few")
    }
    guard Self.graceDays.contains(graceDays), Self.shares.contains(mostMatching) else {
      throw refuse("graceDays or mostMatching is out of range")
    }
    guard Self.isReason(reason) else {
      throw refuse("reason must be 1 to \(Fields.longestText) characters without | or line ends")
    }
    if isBlocking, groundCode == nil { throw refuse("a blocking condition needs a groundCode") }
    if let groundCode, groundCode.defaultStatus == .white {
      throw refuse("groundCode \(groundCode) stands for the white list")
    }
  }

  /// As in the table `condition`.
  static func isLabel(_ text: String) -> Bool {
    let bytes = text.utf8
    guard labelLengths.contains(bytes.count), bytes.first != 0x2D else { return false }
    return bytes.allSatisfy { 0x61...0x7A ~= $0 || 0x30...0x39 ~= $0 || $0 == 0x2D }
  }

  /// Reasons are joined by `|` in files.
  private static func isReason(_ text: String) -> Bool {
    (1...Fields.longestText).contains(text.unicodeScalars.count)
      && text.unicodeScalars.allSatisfy { $0 != "|" && $0.properties.generalCategory != .control }
  }

  /// What must be known of a device for its rules.
  package var needs: EvidenceNeeds {
    parts.reduce([]) { $0.union($1.dimension.rule.needs) }
  }

  /// The windows of its rules.
  package var windows: [Window] { parts.compactMap(\.dimension.rule.window) }

  /// What a device in this condition is treated as on `day`; nil: as if it were not in it.
  package func status(of found: Classification, on day: Day) -> ListStatus? {
    guard isBlocking, let groundCode else { return nil }
    if let blockOn = found.blockOn, blockOn <= day { return groundCode.defaultStatus }
    return isGreyDuringGrace ? .grey : nil
  }
}

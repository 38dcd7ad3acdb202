package import DeviceIdentity

/// What an operator blocks by itself. It may add to the registry's list and never lifts from it.
package struct LocalBlackList: Sendable {
  package struct Entry: Hashable, Sendable {
    package let range: IMEIRange
    /// Only devices that report one of these software versions, SVN 00 to 99 (TS 23.003, 6.2.2);
    /// nil means any, and those that report none.
    package let softwareVersions: ClosedRange<UInt8>?
    package let isOverridable: Bool

    package init(
      range: IMEIRange, softwareVersions: ClosedRange<UInt8>? = nil, isOverridable: Bool = true
    ) {
      self.range = range
      self.softwareVersions = softwareVersions
      self.isOverridable = isOverridable
    }

    package func matches(_ device: IMEISV) -> Bool {
      guard range.contains(device.imei) else { return false }
      guard let softwareVersions else { return true }
      return device.softwareVersion.map(softwareVersions.contains) ?? false
    }
  }

  /// In the settings; as many again may be kept beside them.
  package static let mostEntries = 20_000

  /// As they were given.
  package let entries: [Entry]

  private let final: RangeTree
  private let overridable: RangeTree

  package init(entries: [Entry]) {
    self.entries = entries
    final = RangeTree(entries.filter { !$0.isOverridable })
    overridable = RangeTree(entries.filter(\.isOverridable))
  }

  /// The fold of the entries that match.
  package func match(_ device: IMEISV) -> EntryClass? {
    let isFinal = final.matches(device)
    guard isFinal || overridable.matches(device) else { return nil }
    return EntryClass(
      status: .black, codes: GroundCodeSet(.operatorRequest), isOverridable: !isFinal)
  }
}

/// Entries by their first IMEI, read as a balanced tree: the middle of a span is its root. So a
/// wide range in front costs nothing to the devices that are not in it.
private struct RangeTree: Sendable {
  private let sorted: [LocalBlackList.Entry]
  /// The last IMEI that the span around an entry reaches.
  private var reach: [IMEI]

  init(_ entries: [LocalBlackList.Entry]) {
    sorted = entries.sorted { $0.range.first < $1.range.first }
    reach = sorted.map(\.range.last)
    setReach(of: sorted.indices)
  }

  private static func root(of span: Range<Int>) -> Int { (span.lowerBound + span.upperBound) / 2 }

  private mutating func setReach(of span: Range<Int>) {
    guard !span.isEmpty else { return }
    let root = Self.root(of: span)
    for part in [span.lowerBound..<root, root + 1..<span.upperBound] where !part.isEmpty {
      setReach(of: part)
      reach[root] = max(reach[root], reach[Self.root(of: part)])
    }
  }

  func matches(_ device: IMEISV) -> Bool { matches(device, in: 0..<sorted.count) }

  private func matches(_ device: IMEISV, in span: Range<Int>) -> Bool {
    guard !span.isEmpty else { return false }
    let root = Self.root(of: span)
    guard reach[root] >= device.imei else { return false }
    if matches(device, in: span.lowerBound..<root) { return true }
    guard sorted[root].range.first <= device.imei else { return false }
    return sorted[root].matches(device) || matches(device, in: root + 1..<span.upperBound)
  }
}

package import DeviceIdentity

/// What an operator blocks by itself. It may add to the registry's list and never lifts from it.
package struct LocalBlackList: Sendable {
  package struct Entry: Hashable, Sendable {
    package let range: IMEIRange
    /// Only devices that report this software version; nil means any.
    package let softwareVersion: UInt8?
    package let isOverridable: Bool

    package init(range: IMEIRange, softwareVersion: UInt8? = nil, isOverridable: Bool = true) {
      self.range = range
      self.softwareVersion = softwareVersion
      self.isOverridable = isOverridable
    }
  }

  /// As they were given.
  package let entries: [Entry]

  /// By their first IMEI, each with the last IMEI that it or any before it reaches.
  private let sorted: [(entry: Entry, reach: IMEI)]

  package init(entries: [Entry]) {
    self.entries = entries
    var reach = IMEI(unchecked: 0)
    sorted = entries.sorted { $0.range.first < $1.range.first }.map { entry in
      reach = max(reach, entry.range.last)
      return (entry, reach)
    }
  }

  /// The fold of the entries that match.
  package func match(_ device: IMEISV) -> EntryClass? {
    var found: EntryClass?
    var index = countStarting(upTo: device.imei)
    while index > 0, sorted[index - 1].reach >= device.imei {
      index -= 1
      let entry = sorted[index].entry
      guard entry.range.contains(device.imei) else { continue }
      if let version = entry.softwareVersion, version != device.softwareVersion { continue }
      let match = EntryClass(
        status: .black, codes: GroundCodeSet(.operatorRequest),
        isOverridable: entry.isOverridable)
      found = EntryClass.fold(found, match)
    }
    return found
  }

  /// How many entries start at or before `imei`.
  private func countStarting(upTo imei: IMEI) -> Int {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle].entry.range.first <= imei { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

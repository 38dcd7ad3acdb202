package import DeviceLists

/// Notices that one node's name, or one certificate, is used by two machines: one machine, then
/// another, then the first again within a day. A machine that takes another's place for good is
/// none of that.
package struct InstanceWatch: Hashable, Sendable {
  package enum Finding: Hashable, Sendable, CustomStringConvertible {
    case nameOnTwoMachines(InstanceID, InstanceID)
    case certificateOnTwoMachines(serial: String, InstanceID, InstanceID)

    package var description: String {
      switch self {
      case .nameOnTwoMachines(let first, let second):
        "two machines use this node's name: instances \(first) and \(second)"
      case .certificateOnTwoMachines(let serial, let first, let second):
        "two machines use the certificate \(serial): instances \(first) and \(second)"
      }
    }
  }

  /// An instance at work, and the certificate that it showed.
  package struct Stay: Hashable, Sendable {
    package let instance: InstanceID
    package let serial: String
    package var last: Instant

    package init(instance: InstanceID, serial: String, last: Instant) {
      self.instance = instance
      self.serial = serial
      self.last = last
    }
  }

  package static let memorySeconds: Int64 = 86_400
  package static let mostStays = 8

  /// Oldest first; neighbours differ.
  package private(set) var stays: [Stay] = []

  package init() {}

  /// What a request of this instance would show.
  package func finding(
    _ instance: InstanceID, serial: String, asOf now: Instant
  ) -> Finding? {
    guard let latest = stays.last, latest.instance != instance else { return nil }
    let former = stays.last { $0.instance == instance && Self.counts($0, asOf: now) }
    guard let former else { return nil }
    let isOneCertificate = latest.serial == serial || latest.serial == former.serial
    return isOneCertificate
      ? .certificateOnTwoMachines(serial: latest.serial, instance, latest.instance)
      : .nameOnTwoMachines(instance, latest.instance)
  }

  /// A request has come from this instance.
  package mutating func seen(_ instance: InstanceID, serial: String, asOf now: Instant) {
    if let latest = stays.indices.last, stays[latest].instance == instance,
      stays[latest].serial == serial
    {
      stays[latest].last = max(stays[latest].last, now)
      return
    }
    stays.removeAll { !Self.counts($0, asOf: now) }
    stays.append(Stay(instance: instance, serial: serial, last: now))
    if stays.count > Self.mostStays { stays.removeFirst() }
  }

  private static func counts(_ stay: Stay, asOf now: Instant) -> Bool {
    now.seconds(since: stay.last) < memorySeconds
  }
}

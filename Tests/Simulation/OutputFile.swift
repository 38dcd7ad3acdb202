import DeviceIdentity
import DeviceLists
import Glibc

/// Collects bytes and writes them to a file in large pieces.
struct OutputFile: ~Copyable {
  static let pieceBytes = 1 << 20

  var bytes: [UInt8] = []
  private let path: String
  private let descriptor: Int32

  /// Replaces what the file held.
  init(path: String) throws(SimulationError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw SimulationError(.cannotWrite(path: path, errno: errno))
    }
    self.path = path
    self.descriptor = descriptor
    bytes.reserveCapacity(Self.pieceBytes + 4_096)
  }

  deinit { close(descriptor) }

  /// Writes if enough has come together.
  mutating func lineEnded() throws(SimulationError) {
    if bytes.count >= Self.pieceBytes { try flush() }
  }

  mutating func flush() throws(SimulationError) {
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes {
        write(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw SimulationError(.cannotWrite(path: path, errno: errno)) }
      written += count
    }
    bytes.removeAll(keepingCapacity: true)
  }
}

extension [UInt8] {
  mutating func append(_ text: String) { append(contentsOf: text.utf8) }

  /// In decimal, with leading zeros.
  mutating func append(_ number: UInt64, width: Int) {
    var divisor = (1..<width).reduce(1) { power, _ in power * 10 } as UInt64
    while divisor > 0 {
      append(0x30 + UInt8(number / divisor % 10))
      divisor /= 10
    }
  }

  /// Fifteen digits, as a person types it.
  mutating func append(_ imei: IMEI) {
    append(imei.number * 10 + UInt64(imei.checkDigit), width: 15)
  }

  mutating func appendIMSI(of subscriber: SampleSubscriber) {
    append(subscriber.operatorIndex == 0 ? "00101" : "00102")
    append(subscriber.number, width: 10)
  }

  mutating func appendMSISDN(of subscriber: SampleSubscriber) {
    append("999")
    append(subscriber.number, width: 10)
  }

  /// `20261123`
  mutating func append(_ date: CivilDate) {
    append(UInt64(date.year * 10_000 + date.month * 100 + date.day), width: 8)
  }

  /// A line of the list of stolen devices, without its end.
  mutating func append(_ report: SampleReport) {
    append(report.imei)
    append(",")
    if let date = report.reportedOn { append(date) }
    append(report.leavesStatusEmpty ? ",," : report.ground == .lost ? ",lost," : ",stolen,")
    append(report.caseReference)
  }
}

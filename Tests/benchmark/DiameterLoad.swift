import Foundation
import Simulation

/// ME-Identity-Check-Requests of one length, asked over one connection with a number of them
/// under way, by a thread of its own.
struct DiameterLoad: Sendable {
  private let requests: [UInt8]
  private let requestBytes: Int
  private var requestCount: Int { requests.count / requestBytes }

  /// - Parameter imeis: 14 digits each; asked over and over.
  init(imeis: [UInt64]) {
    let messages = imeis.enumerated().map { number, imei in
      DiameterBytes.checkRequest(
        DiameterBytes.check(imei: String(imei), imsi: "001010123456789"), number: UInt32(number))
    }
    requests = messages.flatMap(\.self)
    requestBytes = messages.first?.count ?? 0
  }

  struct Measured: Sendable {
    var answered = 0
    var black = 0
    var seconds = 0.0
    /// Of each answer, from just before its request was written; only at a steady pace, which no
    /// answer holds up.
    var latencies: [Double] = []

    var rate: Double { Double(answered) / seconds }
    /// Seconds, of latencies.
    func quantile(_ share: Double) -> Double {
      let sorted = latencies.sorted()
      return sorted.isEmpty
        ? .nan : sorted[min(Int(Double(sorted.count) * share), sorted.count - 1)]
    }
  }

  /// - Parameters:
  ///   - window: requests under way.
  ///   - isJoined: whether all requests that may be sent go in one write, as a relay sends them, or
  ///     each by itself, as where each is the attach of another phone.
  ///   - introduces: whether the other side is a Diameter node.
  func run(
    against address: String, window: Int, isJoined: Bool, seconds: Double, introduces: Bool
  ) async throws -> Measured {
    try await withCheckedThrowingContinuation { continuation in
      let thread = Thread {
        continuation.resume(
          with: Result {
            try ask(address, window, isJoined, seconds, introduces)
          })
      }
      thread.start()
    }
  }

  private func ask(
    _ address: String, _ window: Int, _ isJoined: Bool, _ seconds: Double, _ introduces: Bool
  ) throws -> Measured {
    let socket = try PlainSocket(address)
    var buffer = [UInt8](repeating: 0, count: 1 << 17)
    if introduces {
      try socket.write(DiameterBytes.capabilities())
      _ = try socket.read(into: &buffer, at: 0)
    }
    var measured = Measured()
    var (next, filled) = (0, 0)
    let start = ContinuousClock.now
    let end = start + .seconds(seconds)
    var now = start
    func send(_ count: Int) throws {
      var left = count
      while left > 0 {
        let some = isJoined ? min(left, requestCount - next) : 1
        try socket.write(requests[next * requestBytes..<(next + some) * requestBytes])
        next = (next + some) % requestCount
        left -= some
      }
    }
    try send(window)
    while now < end {
      filled += try socket.read(into: &buffer, at: filled)
      now = .now
      let (count, black, used) = Self.count(buffer, filled)
      measured.answered += count
      measured.black += black
      buffer.withUnsafeMutableBytes { bytes in
        if let base = bytes.baseAddress, used > 0 { memmove(base, base + used, filled - used) }
      }
      filled -= used
      try send(count)
    }
    measured.seconds = Self.seconds(start.duration(to: now))
    return measured
  }

  /// Asks at a steady pace, whatever the answers take.
  func run(
    against address: String, perSecond: Double, seconds: Double
  ) async throws -> Measured {
    try await withCheckedThrowingContinuation { continuation in
      Thread {
        continuation.resume(with: Result { try askSteadily(address, perSecond, seconds) })
      }.start()
    }
  }

  private func askSteadily(
    _ address: String, _ perSecond: Double, _ seconds: Double
  ) throws -> Measured {
    let socket = try PlainSocket(address)
    var buffer = [UInt8](repeating: 0, count: 1 << 17)
    try socket.write(DiameterBytes.capabilities())
    _ = try socket.read(into: &buffer, at: 0)
    var measured = Measured()
    let total = Int(perSecond * seconds)
    let pace = SteadyPace(perSecond: perSecond)
    let sent = Moments(count: total)
    Thread { [self] in
      for number in 0..<total {
        pace.wait(for: number)
        sent.note(number)
        let place = number % requestCount * requestBytes
        // Where this fails, so does reading, which says so.
        guard (try? socket.write(requests[place..<place + requestBytes])) != nil else { return }
      }
    }.start()
    var filled = 0
    while measured.answered < total {
      filled += try socket.read(into: &buffer, at: filled)
      let (count, black, used) = Self.count(buffer, filled)
      for _ in 0..<count {
        measured.latencies.append(sent.seconds(since: measured.answered))
        measured.answered += 1
      }
      measured.black += black
      buffer.withUnsafeMutableBytes { bytes in
        if let base = bytes.baseAddress, used > 0 { memmove(base, base + used, filled - used) }
      }
      filled -= used
    }
    measured.seconds = pace.seconds(since: 0)
    return measured
  }

  /// Whole messages at the front, how many end in an Equipment-Status that is black, and their
  /// bytes.
  private static func count(_ buffer: [UInt8], _ filled: Int) -> (Int, Int, Int) {
    var (count, black, offset) = (0, 0, 0)
    while filled - offset >= 20 {
      let length =
        Int(buffer[offset + 1]) << 16 | Int(buffer[offset + 2]) << 8
        | Int(buffer[offset + 3])
      guard length >= 20, filled - offset >= length else { break }
      let last = offset + length - 16
      if buffer[last + 2] == 0x05, buffer[last + 3] == 0xA5, buffer[last + 15] == 1 { black += 1 }
      offset += length
      count += 1
    }
    return (count, black, offset)
  }

  private static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }
}

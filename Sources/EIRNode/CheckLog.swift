import DeviceIdentity
package import DeviceLists
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Black, grey and policy answers, one JSON line each, with the IMEI and never the subscriber.
///
/// Noting is cheap and never waits for the disk; what comes faster than the limits is counted and
/// left out. The file is opened for every writing, so that it may be moved away at any time.
package final class CheckLog: Sendable {
  package static let mostLinesPerSecond = 1_000
  static let longestBufferBytes = 1 << 20

  private struct State {
    var buffer: [UInt8] = []
    var second = Instant(secondsSinceEpoch: 0)
    var linesThisSecond = 0
    var droppedCount = 0
    /// Nil: none is kept.
    var path: String?
  }

  private let state: Mutex<State>

  package init(path: String?) { state = Mutex(State(path: path)) }

  /// Lines left out since the start.
  package var droppedCount: Int { state.withLock { $0.droppedCount } }

  package func note(_ query: CheckQuery, _ verdict: Verdict, asOf now: Instant) {
    guard Self.isWorthNoting(verdict) else { return }
    state.withLock { state in
      guard state.path != nil else { return }
      if state.second != now {
        state.second = now
        state.linesThisSecond = 0
      }
      guard state.linesThisSecond < Self.mostLinesPerSecond,
        state.buffer.count < Self.longestBufferBytes
      else {
        state.droppedCount += 1
        return
      }
      state.linesThisSecond += 1
      state.buffer += Self.line(query, verdict, now).utf8
    }
  }

  /// Writes what was noted. Called off the event loops.
  package func flush() throws(NodeError) { try flush(movingTo: nil) }

  /// What was noted until now goes where it was to go; what follows goes to `path`, or nowhere.
  package func move(to path: String?) throws(NodeError) { try flush(movingTo: .some(path)) }

  private func flush(movingTo next: String??) throws(NodeError) {
    let (bytes, path) = state.withLock { state in
      defer {
        state.buffer.removeAll(keepingCapacity: true)
        if let next { state.path = next }
      }
      return (state.buffer, state.path)
    }
    guard let path, !bytes.isEmpty else { return }
    let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
    guard file >= 0 else { throw lost(bytes, path) }
    defer { close(file) }
    guard SmallFile.writeAll(bytes, to: file) else { throw lost(bytes, path) }
  }

  private func lost(_ bytes: [UInt8], _ path: String) -> NodeError {
    let error = NodeError.system("write", path: path)
    state.withLock { $0.droppedCount += bytes.count { $0 == 0x0A } }
    return error
  }

  /// White and unlisted devices are the rule, not worth a line.
  private static func isWorthNoting(_ verdict: Verdict) -> Bool {
    switch verdict.rule {
    case .override, .failure, .unusable, .noIMEI, .noSubscriber: true
    default: verdict.decided == .black || verdict.decided == .grey
    }
  }

  private static func line(_ query: CheckQuery, _ verdict: Verdict, _ now: Instant) -> String {
    var line = "{\"at\":\"\(now)\""
    if case .device(let device) = query.identity { line += ",\"imei\":\"\(device.imei)\"" }
    line += ",\"answer\":\"\(verdict.answer)\",\"decided\":\"\(verdict.decided)\""
    line += ",\"rule\":\"\(verdict.rule)\""
    let grounds = verdict.codes.codes.map { "\"\($0)\"" }.joined(separator: ",")
    line += ",\"grounds\":[\(grounds)]"
    if let position = verdict.position { line += ",\"position\":\(position)" }
    return line + "}\n"
  }
}

import ExchangeTrust
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Gives a reader its bytes at the reader's own pace, and drops one that takes nothing.
///
/// A write waits while the connection is full, so that no more than one piece is in memory for
/// each reader beside what the socket holds.
struct PatientWriter {
  static let pieceBytes = 256 * 1024

  private let channel: any Channel
  private let patience: Duration
  private let dropped: Metric
  private let waitsSince = WaitsSince()

  private final class WaitsSince: Sendable {
    let moment = Mutex<ContinuousClock.Instant?>(nil)
    let isDropped = Mutex(false)
  }

  /// For the answer to a request.
  init(for asked: NodeRequest, of services: ExchangeServices) {
    channel = asked.context.channel
    patience = services.limits.readerPatience
    dropped = services.metrics.droppedReaders
  }

  /// Runs `body` under a watch that closes the connection, over HTTP/2 the stream, under a write
  /// that takes too long.
  func watched(_ body: () async throws -> Void) async throws {
    let watch = Task { [channel, patience, dropped, waitsSince] in
      while !Task.isCancelled {
        try await Task.sleep(for: patience / 4)
        let since = waitsSince.moment.withLock { $0 }
        if let since, since.duration(to: .now) > patience {
          waitsSince.isDropped.withLock { $0 = true }
          dropped.add()
          channel.close(promise: nil)
          return
        }
      }
    }
    defer { watch.cancel() }
    try await body()
    // The write that was waited for ends without an error, also where it was the last.
    guard !waitsSince.isDropped.withLock({ $0 }) else { throw ChannelError.ioOnClosedChannel }
  }

  func write(_ bytes: ByteBuffer, to writer: inout any ResponseBodyWriter) async throws {
    var rest = bytes
    while rest.readableBytes > 0,
      let piece = rest.readSlice(length: min(rest.readableBytes, Self.pieceBytes))
    {
      waitsSince.moment.withLock { $0 = .now }
      defer { waitsSince.moment.withLock { $0 = nil } }
      try await writer.write(piece)
    }
  }
}

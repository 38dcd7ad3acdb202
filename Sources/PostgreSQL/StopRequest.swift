internal import CLibPQ

#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

/// Asks the server, over a connection of its own, to stop what a connection runs. libpq's call
/// blocks and has no time limit, so it gets a thread that ends with it.
///
/// `@unchecked Sendable`: `request` is used by the new thread until it writes to `delivered`,
/// and freed by the last owner.
final class StopRequest: @unchecked Sendable {
  private static let textCapacity = 256
  private let request: OpaquePointer
  /// An eventfd.
  private let delivered: Int32

  private init?(_ connection: OpaquePointer) {
    guard let request = PQgetCancel(connection) else { return nil }
    self.request = request
    delivered = makeWakeDescriptor()
    if delivered < 0 { return nil }
  }

  deinit {
    PQfreeCancel(request)
    close(delivered)
  }

  static func send(toStop connection: OpaquePointer) -> StopRequest? {
    guard let stop = StopRequest(connection) else { return nil }
    return startThread(stop) { $0.run() } ? stop : nil
  }

  private func run() {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Self.textCapacity) { text in
      // Failure needs no answer: the waiting side has a deadline.
      _ = PQcancel(request, text.baseAddress, Int32(text.count))
    }
    wake(delivered)
  }

  /// libpq returns once the server has closed the request's connection, which it does after the
  /// signal to the backend was sent.
  func waitUntilDelivered(_ limit: Duration) -> Bool {
    withUnsafeTemporaryAllocation(of: pollfd.self, capacity: 1) { polled in
      polled[0] = pollfd(fd: delivered, events: Int16(POLLIN), revents: 0)
      return Wire.pollAll(polled, Int32(clamping: limit.wholeMilliseconds)) > 0
    }
  }
}

/// Runs `body` on a new detached thread that takes no signals. False if none can be made.
func startThread<Value: Sendable>(
  _ value: Value, _ body: @escaping @Sendable (Value) -> Void
) -> Bool {
  let box = Unmanaged.passRetained(ThreadBody { body(value) })
  var thread = pthread_t()
  let status = pthread_create(&thread, nil, threadEntry, box.toOpaque())
  guard status == 0 else {
    box.release()
    return false
  }
  pthread_detach(thread)
  return true
}

private func threadEntry(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  var signals = sigset_t()
  sigfillset(&signals)
  pthread_sigmask(SIG_BLOCK, &signals, nil)
  Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
  return nil
}

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// An eventfd: one thread sleeps on it, others wake it.
func makeWakeDescriptor() -> Int32 { make_wake_descriptor() }

func wake(_ descriptor: Int32) {
  var one: UInt64 = 1
  // It can only fail when the count is full, and then the sleeper is awake already.
  _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
}

func drain(_ descriptor: Int32) {
  var count: UInt64 = 0
  // It can only fail when the count is zero already.
  _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
}

import Glibc
import Testing

/// Work on a thread of its own: tests share a few threads, and one that waits holds up the others.
struct WorkThread {
  private final class Work: Sendable {
    let body: @Sendable () throws -> Void

    init(_ body: @escaping @Sendable () throws -> Void) { self.body = body }
  }

  private let thread: pthread_t

  /// An error that the work throws is recorded as an issue.
  init(_ body: @escaping @Sendable () throws -> Void) throws {
    let work = Unmanaged.passRetained(Work(body))
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        let work = Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
        do { try work.body() } catch { Issue.record(error) }
        return nil
      }, work.toOpaque())
    if status != 0 { work.release() }
    try #require(status == 0)
    self.thread = thread
  }

  func join() throws { try #require(pthread_join(thread, nil) == 0) }
}

internal import Glibc

/// Work that should disturb nobody, done by a thread of its own: a thread that has once given way
/// may not take its priority back.
enum BackgroundThread {
  /// `SCHED_IDLE` of `linux/sched.h`, which Glibc's module does not show.
  private static let idlePolicy: Int32 = 5

  private final class Work {
    let body: () throws(ListIndexError) -> Void
    var outcome: Result<Void, ListIndexError> = .success(())

    init(_ body: @escaping () throws(ListIndexError) -> Void) { self.body = body }

    func run() {
      do throws(ListIndexError) {
        try body()
      } catch {
        outcome = .failure(error)
      }
    }
  }

  /// Returns when it is done. Where no thread is to be had, or none is wanted, it is done here.
  static func run(
    yielding: Bool, _ body: () throws(ListIndexError) -> Void
  ) throws(ListIndexError) {
    guard yielding else { return try body() }
    let outcome = withoutActuallyEscaping(body) { body in
      let work = Work(body)
      let context = Unmanaged.passRetained(work)
      var thread = pthread_t()
      let status = pthread_create(&thread, nil, entry, context.toOpaque())
      if status == 0 {
        pthread_join(thread, nil)
      } else {
        work.run()
      }
      context.release()
      return work.outcome
    }
    try outcome.get()
  }

  private static let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? =
    {
      context in
      // Those of the process are for others to take.
      var signals = sigset_t()
      sigfillset(&signals)
      pthread_sigmask(SIG_BLOCK, &signals, nil)
      // Whoever answers takes the processor from it at once: sched(7). The lowest nice value alone
      // does not do: the thread then keeps the processor to the end of its slice, and an answer
      // waits for it.
      var parameter = sched_param(sched_priority: 0)
      _ = sched_setscheduler(0, idlePolicy, &parameter)
      guard let context else { return nil }
      Unmanaged<Work>.fromOpaque(context).takeUnretainedValue().run()
      return nil
    }
}

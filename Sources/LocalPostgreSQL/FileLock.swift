#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

/// A lock on a file; the system drops it when its holder dies, however that happens.
final class FileLock: Sendable {
  private let descriptor: Int32

  private init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  static let pollInterval: Duration = .milliseconds(20)

  static func exclusive(
    _ path: String, owner: ServerUser, within limit: Duration
  ) async throws(LocalPostgreSQLError) -> FileLock {
    let lock = try open(path, owner)
    let deadline = ContinuousClock.now + limit
    while flock(lock.descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard ContinuousClock.now < deadline else {
        throw LocalPostgreSQLError(
          .busy, "Another process is starting or stopping the same database and does not finish")
      }
      // Cut short, the sleep only tries sooner.
      try? await Task.sleep(for: pollInterval)
    }
    return lock
  }

  static func shared(
    _ path: String, owner: ServerUser
  ) throws(LocalPostgreSQLError) -> FileLock {
    let lock = try open(path, owner)
    guard flock(lock.descriptor, LOCK_SH | LOCK_NB) == 0 else {
      throw LocalPostgreSQLError(.busy, "The database is locked by another process")
    }
    return lock
  }

  /// Turns a shared lock into an exclusive one; false if others share it.
  func becomeExclusive() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

  private static func open(
    _ path: String, _ owner: ServerUser
  ) throws(LocalPostgreSQLError) -> FileLock {
    let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW
    #if canImport(Musl)
      let descriptor = Musl.open(path, flags, 0o600)
    #else
      let descriptor = Glibc.open(path, flags, 0o600)
    #endif
    guard descriptor >= 0 else {
      throw LocalPostgreSQLError(
        .badDirectory, "\(path) cannot be opened", logText: String(cString: strerror(errno)))
    }
    let lock = FileLock(descriptor)
    if owner.stepsDown, fchown(descriptor, owner.uid, owner.gid) != 0 {
      throw LocalPostgreSQLError(
        .badDirectory, "\(path) cannot be given to user \(owner.name)",
        logText: String(cString: strerror(errno)))
    }
    return lock
  }
}

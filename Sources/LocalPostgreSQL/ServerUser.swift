#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

/// Who the server runs as, and who may connect: PostgreSQL refuses to run as root.
struct ServerUser: Sendable, Equatable {
  let name: String
  let uid: uid_t
  let gid: gid_t
  /// We are root and must step down to start anything of PostgreSQL.
  let stepsDown: Bool

  /// System users that may connect: ours, and the server's.
  var clients: [String] { stepsDown ? ["root", name] : [name] }

  static let defaultNames = ["postgres", "nobody"]

  static func current(preferred: String?) throws(LocalPostgreSQLError) -> ServerUser {
    guard geteuid() == 0 else {
      guard let (name, uid, gid) = entry(uid: geteuid()) else {
        throw LocalPostgreSQLError(
          .noSuchUser, "The system knows no name for user \(geteuid()), which PostgreSQL needs")
      }
      return ServerUser(name: name, uid: uid, gid: gid, stepsDown: false)
    }
    for candidate in preferred.map({ [$0] }) ?? defaultNames {
      if let (name, uid, gid) = entry(name: candidate), uid != 0 {
        return ServerUser(name: name, uid: uid, gid: gid, stepsDown: true)
      }
    }
    throw LocalPostgreSQLError(
      .noSuchUser,
      "PostgreSQL does not run as root, and there is no user \(preferred ?? "postgres") to run it")
  }

  private typealias Entry = (name: String, uid: uid_t, gid: gid_t)

  private static func entry(uid: uid_t) -> Entry? {
    lookUp { getpwuid_r(uid, $0, $1, entryBytes, $2) }
  }

  private static func entry(name: String) -> Entry? {
    lookUp { getpwnam_r(name, $0, $1, entryBytes, $2) }
  }

  private static let entryBytes = 16_384

  private static func lookUp(
    _ call: (
      UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>,
      UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> Int32
  ) -> Entry? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: entryBytes) { buffer in
      var record = passwd()
      var found: UnsafeMutablePointer<passwd>?
      guard let start = buffer.baseAddress, call(&record, start, &found) == 0, found != nil,
        let name = record.pw_name
      else { return nil }
      return (String(cString: name), record.pw_uid, record.pw_gid)
    }
  }
}

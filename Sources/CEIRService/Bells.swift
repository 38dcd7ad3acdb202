import Logging
import PostgreSQL
import RegistryStore
import ServiceLifecycle

/// One bell for each thing that another process, or another part of this one, may announce.
package struct Bells: Sendable {
  package let dirty = Bell()
  package let journal = Bell()
  /// A certificate was revoked, or parameters were proposed or confirmed.
  package let roster = Bell()
  package let queries = Bell()

  package init() {}

  /// The channel of the database on which each is announced.
  fileprivate var byChannel: [String: Bell] {
    [
      RegistryTransaction.dirtyChannel: dirty, RegistryTransaction.journalChannel: journal,
      RegistryTransaction.certificateChannel: roster,
      RegistryTransaction.parametersChannel: roster, RegistryTransaction.queryChannel: queries,
    ]
  }
}

/// Rings the bells when another process announces something.
struct DatabaseHints: Service {
  let database: RegistryDatabase
  let bells: Bells
  let logger: Logger

  func run() async throws {
    let byChannel = bells.byChannel
    await cancelWhenGracefulShutdown {
      let listener = database.listener(channels: byChannel.keys.sorted()) { [logger] error in
        logger.warning(
          "The database is not heard; it is asked every second instead.",
          metadata: ["error": "\(String(reflecting: error))"])
      }
      for await event in listener.events {
        if case .notification(let channel, _) = event {
          byChannel[channel]?.ring()
        } else {
          // What was announced while nobody listened is not known.
          for bell in byChannel.values { bell.ring() }
        }
      }
      await listener.close()
    }
  }
}

import DeviceLists
import ExchangeTrust
import ListExchange
import Logging
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

extension NodeExchange {
  /// Takes the registry's files, and hands over the node's own where there is a folder for them.
  func filesService(_ files: FilesSettings, _ client: RegistryClient?) -> any Service {
    let (logger, proof) = (logger, proof)
    var wantAgain: (@Sendable (FileNumber) async throws -> Void)?
    if let client { wantAgain = { number in try await client.wantAgain(number) } }
    let again = wantAgain
    let sightings = client == nil ? sightings : nil
    let (settings, keeper, threads, state) = (settings, keeper, threads, filesState)
    let name = credentials.files.current.own
    return LoopService {
      let outgoing: OutgoingFiles?
      do {
        outgoing = try await threads.runIfActive {
          try Self.outgoing(files, of: name, settings)
        }
      } catch {
        _ = state.failed("\(error)")
        logger.error(
          "the node's own files cannot be written", metadata: ["reason": "\(error)"])
        outgoing = nil
      }
      await FilesLoop(
        settings: files, registry: settings.registry, feed: settings.feed, keeper: keeper,
        threads: threads, logger: logger, state: state,
        prove: { try await proof.prove($0, asOf: .now()) }, wantAgain: again,
        outgoing: outgoing, sightings: sightings
      ).run()
    }
  }

  private static func outgoing(
    _ files: FilesSettings, of name: PeerName, _ settings: NodeSettings
  ) throws(NodeError) -> OutgoingFiles? {
    guard let folder = files.outbox, case .node(let code, let node) = name.role else {
      return nil
    }
    return try OutgoingFiles(
      folder: folder, statePath: settings.directory + "/files.sent", code: code, node: node)
  }
}

extension RegistryClient {
  /// `POST /exchange/v1/files/resends`.
  func wantAgain(_ number: FileNumber) async throws {
    _ = try await document(
      .POST, ExchangePath.fileResends,
      body: (ExchangePath.json, ResendRequest(number: number.number).json), key: .random())
  }
}

import CheckServer
import DeviceLists
import Diameter
import EquipmentCheck
import Logging
import NIOCore
import NIOPosix

@testable import EIRNode

/// S13 in this process, where every device is black.
struct S13UnderTest {
  let peers: S13Peers
  let listener: StreamListener

  var address: String { "127.0.0.1:\(listener.port)" }

  static func start(mostBytes: Int) async throws -> S13UnderTest {
    guard let host = DiameterIdentity("eir.example.org"),
      let realm = DiameterIdentity("example.org")
    else { throw DiameterPeer.Gone() }
    let local = LocalNode(host: host, realm: realm, productName: "a test", originStateID: 1)
    var limits = S13Limits()
    limits.stream.tick = .milliseconds(50)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let peers = S13Peers(allowed: .any, mostBytes: mostBytes)
    let service = S13Service(
      s13: S13(local: local), peers: peers, limits: limits, logger: logger
    ) { _, _ in .now(.black) }
    let listener = try await service.start(
      host: "127.0.0.1", port: 0, group: MultiThreadedEventLoopGroup.singleton)
    return S13UnderTest(peers: peers, listener: listener)
  }
}

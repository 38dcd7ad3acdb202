import CheckServer
import DeviceIdentity
import DeviceLists
import EIRNode
import NIOPosix
import Simulation

/// A listener that knows one black device, for `Scripts/bench-n17`; serves until it is ended.
enum N17Server {
  static let black = IMEI(number: 35_693_803_564_380)

  static func serve(port: Int) async throws {
    let responder = N17Responder { query in
      if case .device(let device) = query.identity, device.imei == black { return .black }
      return .white
    }
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let server = try await CheckServer.start(
      host: "127.0.0.1", port: port, group: group, responder: responder)
    print("listening on \(server.port)")
    while !Task.isCancelled { try await pace(milliseconds: 60_000) }
  }
}

import ExchangeTrust
import Foundation
import NIOCore
import NIOPosix
import Simulation
import Testing

/// nginx, which stands for the TLS of a system that we did not write.
final class TLSProxy {
  let port: Int
  let rootPath: String
  private let program: Program

  private init(port: Int, rootPath: String, program: Program) {
    self.port = port
    self.rootPath = rootPath
    self.program = program
  }

  deinit { if program.isRunning { program.send(SIGKILL) } }

  static func start(before port: Int, in directory: String) async throws -> TLSProxy {
    let files = try TestAuthority.shared.write(.ceir, to: directory + "/webhook", name: "webhook")
    let own = try await freePort()
    let configuration = """
      daemon off; master_process off; pid \(directory)/nginx.pid; error_log \(directory)/nginx.log;
      events {}
      http {
        access_log off;
        client_body_temp_path \(directory)/b; proxy_temp_path \(directory)/p;
        fastcgi_temp_path \(directory)/f; uwsgi_temp_path \(directory)/u;
        scgi_temp_path \(directory)/s;
        server {
          listen 127.0.0.1:\(own) ssl;
          ssl_certificate \(files.certificatePath); ssl_certificate_key \(files.keyPath);
          location / { proxy_pass http://127.0.0.1:\(port); }
        }
      }
      """
    let path = directory + "/nginx.conf"
    try configuration.write(toFile: path, atomically: true, encoding: .utf8)
    let program = try Program("/usr/sbin/nginx", ["-c", path], in: directory)
    try await eventually("nginx listens (\(program.errors))") {
      let answer = try await Program.run(
        "/usr/bin/curl", ["-sk", "--max-time", "2", "https://127.0.0.1:\(own)/nothing"])
      return answer.status == 0
    }
    return TLSProxy(port: own, rootPath: files.rootPath, program: program)
  }

  private static func freePort() async throws -> Int {
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0).get()
    let port = try #require(listener.localAddress?.port)
    try await listener.close().get()
    return port
  }

  func stop() async throws {
    program.send(SIGKILL)
    _ = try await program.end()
  }
}

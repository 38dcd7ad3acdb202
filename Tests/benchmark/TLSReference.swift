import Foundation
import NIOCore
import NIOPosix
import Simulation

/// nginx with the CEIR's own certificate, which demands one of its authority, as the CEIR does.
struct TLSReference {
  let address: String
  private let command: Command

  /// - Parameters:
  ///   - locations: what it answers, in the words of its configuration.
  ///   - tls: where the certificate of the authority is.
  static func start(
    for country: BenchmarkCountry, _ locations: String, tls: TLSFolder
  ) async throws -> TLSReference {
    let folder = "\(country.folder)/nginx"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let port = try await freePort()
    let pki = "\(country.folder)/ceir/pki"
    let configuration = """
      daemon off;
      user root;
      worker_processes \(System.coreCount);
      pid \(folder)/nginx.pid;
      error_log \(folder)/error.log;
      events { worker_connections 1024; }
      http {
        access_log off;
        client_body_temp_path \(folder)/a; proxy_temp_path \(folder)/b;
        fastcgi_temp_path \(folder)/c; uwsgi_temp_path \(folder)/d; scgi_temp_path \(folder)/e;
        client_max_body_size 16m;
        keepalive_requests 1000000000;
        http2_max_concurrent_streams 128;
        server {
          listen 127.0.0.1:\(port) ssl http2 reuseport;
          ssl_certificate \(pki)/ceir.pem;
          ssl_certificate_key \(pki)/ceir.key;
          ssl_protocols TLSv1.2 TLSv1.3;
          ssl_client_certificate \(tls.root);
          ssl_verify_client on;
          ssl_verify_depth 3;
          \(locations)
        }
      }
      """
    let file = "\(folder)/nginx.conf"
    try configuration.write(toFile: file, atomically: true, encoding: .utf8)
    let command = try Command(
      "/usr/sbin/nginx", ["-e", "\(folder)/error.log", "-p", folder, "-c", file], in: folder)
    let address = "127.0.0.1:\(port)"
    try await eventually("nginx on \(address)") { (try? PlainConnection(address)) != nil }
    return TLSReference(address: address, command: command)
  }

  func stop() async throws { try await command.stop() }

  private static func freePort() async throws -> Int {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0).get()
    let port = channel.localAddress?.port ?? 0
    try await channel.close()
    return port
  }
}

/// `h2load` that shows a node's certificate, which it has no option for.
struct H2Load {
  private static let source = "Scripts/client-certificate.c"

  private let library: String
  private let tls: TLSFolder
  private let folder: String

  init(showing tls: TLSFolder, in folder: String) async throws {
    self.tls = tls
    self.folder = "\(folder)/h2load"
    library = "\(self.folder)/client-certificate.so"
    try FileManager.default.createDirectory(
      atPath: self.folder, withIntermediateDirectories: true)
    try await Command.run(
      "/usr/bin/env", ["clang", "-shared", "-fPIC", "-O2", "-o", library, Self.source, "-ldl"],
      in: self.folder)
  }

  /// Requests in a second; throws where one has failed.
  func rate(_ arguments: [String], _ url: String) async throws -> Double {
    let report = try await Command(
      "/usr/bin/h2load", arguments + [url],
      environment: [
        "LD_PRELOAD": library, "CLIENT_CHAIN": tls.chain, "CLIENT_KEY": tls.key,
      ], in: folder
    ).end()
    guard report.contains(" 0 failed, 0 errored, 0 timeout"), report.contains(" 0 4xx, 0 5xx")
    else { throw BenchmarkFailure("Requests failed at \(url):\n\(report)") }
    let line = report.split(separator: "\n").first { $0.hasPrefix("finished in ") }
    guard let rate = line?.split(separator: ", ").dropFirst().first?.split(separator: " ").first,
      let number = Double(rate)
    else { throw BenchmarkFailure("h2load has not said its rate:\n\(report)") }
    return number
  }
}

/// An answer as a node gets it.
struct Curl {
  let tls: TLSFolder
  let folder: String

  private var credentials: [String] {
    [
      "--silent", "--show-error", "--fail", "--cert", tls.chain, "--key", tls.key, "--cacert",
      tls.root,
    ]
  }

  func start(_ arguments: [String]) throws -> Command {
    try Command("/usr/bin/curl", credentials + arguments, in: folder)
  }

  func body(_ arguments: [String]) async throws -> String { try await start(arguments).end() }
}

import Foundation
import NIOCore
import NIOPosix
import Simulation
import Testing

/// A real OpenSSH server on a free port of loopback. As root each operator is shut into its own
/// folder by `Scripts/sftp-operator`, within a mount namespace of its own, so that the machine's
/// accounts stay as they are. Without root everybody logs in as the user of the test.
final class SFTPServer {
  /// Whether this process may shut operators into their folders.
  static let shutsIn: Bool = {
    guard geteuid() == 0 else { return false }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/unshare")
    process.arguments = ["--mount", "true"]
    process.standardError = FileHandle.nullDevice
    do {
      try process.run()
    } catch {
      return false
    }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  private static let scripts = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Scripts").path

  private let folder: String
  private let files: String
  private let port: Int
  private let server: Program

  /// - Parameters:
  ///   - folder: for keys and logs.
  ///   - files: the CEIR's `files.directory`.
  static func start(
    in folder: String, files: String, operators: [String]
  ) async throws -> SFTPServer {
    for key in ["host"] + operators {
      let made = try await Program.run(
        "/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", "\(folder)/\(key)"],
        in: folder)
      try #require(made.status == 0, "\(made.errors)")
    }
    let server = try SFTPServer(
      folder: folder, files: files, port: try await freePort(), operators: operators)
    try await eventually("the start of sshd") {
      guard server.server.isRunning else { throw NotInTime(description: server.server.errors) }
      return server.server.errors.contains("listening on")
    }
    return server
  }

  private init(folder: String, files: String, port: Int, operators: [String]) throws {
    self.folder = folder
    self.files = files
    self.port = port
    let host = try String(contentsOfFile: "\(folder)/host.pub", encoding: .utf8)
    try Self.write("[127.0.0.1]:\(port) \(host)", to: "\(folder)/known_hosts")
    try Self.write(Self.configuration(folder, port), to: "\(folder)/sshd_config")
    let keys = try operators.map {
      try String(contentsOfFile: "\(folder)/\($0).pub", encoding: .utf8)
    }
    try Self.write(keys.joined(), to: "\(folder)/authorized_keys")
    server =
      Self.shutsIn
      ? try Program(
        "/usr/bin/unshare",
        ["--mount", "bash", "-c", Self.namespace(folder, files, operators)], in: folder)
      : try Program("/bin/bash", ["-c", Self.daemon(folder)], in: folder)
  }

  private static func configuration(_ folder: String, _ port: Int) -> String {
    let own = """
      ForceCommand internal-sftp
      AuthorizedKeysFile \(folder)/authorized_keys
      StrictModes no
      """
    return """
      Port \(port)
      ListenAddress 127.0.0.1
      HostKey \(folder)/host
      PidFile \(folder)/sshd.pid
      UsePAM no
      PasswordAuthentication no
      Subsystem sftp internal-sftp
      \(shutsIn ? "Include /etc/ssh/sshd_config.d/ceir-*.conf" : own)

      """
  }

  /// What an administrator does, with a copy of the machine's accounts.
  private static func namespace(
    _ folder: String, _ files: String, _ operators: [String]
  ) -> String {
    let accounts = operators.map {
      "\(scripts)/sftp-operator \($0) --directory /srv --key \(folder)/\($0).pub"
    }
    return """
      set -e
      mkdir -p \(folder)/etc/ssh \(folder)/run/sshd
      for name in passwd group shadow gshadow login.defs nsswitch.conf ld.so.cache; do
        if [ -e /etc/$name ]; then cp -p /etc/$name \(folder)/etc/; fi
      done
      mount --bind \(folder)/etc /etc
      mount --bind \(folder)/run /run
      mount --bind \(files) /srv
      \(accounts.joined(separator: "\n"))
      \(daemon(folder))
      """
  }

  /// sshd closes what it has inherited, and so the pipe by which Foundation learns of its end:
  /// the shell before it keeps that open.
  private static func daemon(_ folder: String) -> String {
    """
    /usr/sbin/sshd -D -e -f \(folder)/sshd_config || true
    exit 0
    """
  }

  private static func write(_ text: String, to path: String) throws {
    try text.write(toFile: path, atomically: true, encoding: .utf8)
  }

  private static func freePort() async throws -> Int {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0).get()
    let port = try #require(channel.localAddress?.port)
    try await channel.close()
    return port
  }

  func stop() async throws {
    let text = try String(contentsOfFile: "\(folder)/sshd.pid", encoding: .utf8)
    kill(try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines))), SIGTERM)
    _ = try await server.end()
  }

  private func address(of code: String) -> String {
    Self.shutsIn ? "ceir-\(code)@127.0.0.1" : "\(NSUserName())@127.0.0.1"
  }

  /// One run of `Scripts/sftp-sync`.
  func synchronize(_ code: String, _ folders: CarriedFolders) async throws {
    let root = Self.shutsIn ? [] : ["--root", "\(files)/\(code)"]
    let carried = try await Program.run(
      "\(Self.scripts)/sftp-sync",
      [
        address(of: code), "--key", "\(folder)/\(code)", "--known-hosts", "\(folder)/known_hosts",
        "--port", String(port), "--mirror", folders.mirror, "--upload", folders.upload,
        "--responses", folders.responses,
      ] + root, in: folder)
    try #require(carried.status == 0, "\(carried.errors)")
  }

  /// What `sftp` says to a batch of commands.
  func batch(_ commands: [String], as code: String, key: String) async throws -> Program.Result {
    let path = "\(folder)/batch"
    try Self.write(commands.joined(separator: "\n"), to: path)
    return try await Program.run(
      "/usr/bin/sftp",
      [
        "-q", "-b", path, "-P", String(port), "-i", "\(folder)/\(key)", "-o", "IdentitiesOnly=yes",
        "-o", "UserKnownHostsFile=\(folder)/known_hosts", address(of: code),
      ], in: folder)
  }

  /// What becomes of a command that is no file transfer.
  func shell(_ command: String, as code: String) async throws -> Program.Result {
    try await Program.run(
      "/usr/bin/ssh",
      [
        "-p", String(port), "-i", "\(folder)/\(code)", "-o", "IdentitiesOnly=yes", "-o",
        "UserKnownHostsFile=\(folder)/known_hosts", "-o", "BatchMode=yes", address(of: code),
        command,
      ], in: folder)
  }
}

/// The folders of an operator between which files are carried.
struct CarriedFolders {
  let mirror: String
  let upload: String
  let responses: String

  init(in folder: String) throws {
    (mirror, upload, responses) = (
      "\(folder)/mirror", "\(folder)/upload", "\(folder)/responses"
    )
    for folder in [mirror, upload, responses] {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: false)
    }
  }
}

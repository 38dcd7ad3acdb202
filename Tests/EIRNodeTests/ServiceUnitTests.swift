import Foundation
import Simulation
import Testing

/// The unit of Scripts/systemd: what systemd says of it, and a node that lives with its walls.
@Suite(.serialized)
struct ServiceUnitTests {
  private static let analyze = "/usr/bin/systemd-analyze"
  private static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Scripts/systemd/openceir-eir.service").standardized.path

  private static var hasSystemd: Bool {
    FileManager.default.isExecutableFile(atPath: analyze)
  }

  /// Runs a program as the unit does: nothing may be gained, no memory may be written and run, and
  /// no system call beyond those that the unit names. A call that is not allowed is told as EPERM.
  private static let walls = """
    import ctypes, ctypes.util, os, subprocess, sys
    def names(of):
        text = subprocess.run(["/usr/bin/systemd-analyze", "syscall-filter", of],
                              capture_output=True, text=True, check=True).stdout
        words = [line.split()[0] for line in text.splitlines()[1:] if line.strip()]
        words = [word for word in words if word != "#"]
        return {name for word in words for name in (names(word) if word[0] == "@" else [word])}
    wanted, refused = set(), set()
    for line in open(sys.argv[1]):
        if line.startswith("SystemCallFilter="):
            words = line.split("=", 1)[1].strip()
            into = refused if words[0] == "~" else wanted
            for word in words.lstrip("~").split(): into |= names(word)
    allowed = (wanted | names("@default")) - (refused - names("@default"))
    # The program that is started is not yet behind the wall when systemd starts it.
    allowed |= {"execve"}
    libc = ctypes.CDLL(None, use_errno=True)
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(0x00050000 | 1))
    for name in allowed:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number >= 0: seccomp.seccomp_rule_add(context, 0x7FFF0000, number, 0)
    if libc.prctl(38, 1, 0, 0, 0): sys.exit("no_new_privs")
    # PR_SET_MDWE, as MemoryDenyWriteExecute does where the kernel knows it (6.3).
    print("memory", libc.prctl(65, 1, 0, 0, 0), flush=True)
    if seccomp.seccomp_load(context): sys.exit("seccomp")
    os.execv(sys.argv[2], sys.argv[2:])
    """

  @Test(.enabled(if: hasSystemd))
  func `systemd finds nothing wrong with the unit, and little that is exposed`() async throws {
    let scratch = try Scratch()
    // The place of the program on an operator's machine is not that of the build.
    let unit = scratch.path + "/openceir-eir.service"
    let text = try String(contentsOfFile: Self.path, encoding: .utf8)
    try text.replacing("/usr/local/bin/eir", with: Program.path(of: "eir")).write(
      toFile: unit, atomically: true, encoding: .utf8)
    let verified = try await Program.run(Self.analyze, ["verify", "--man=no", unit])
    #expect(verified.status == 0, "\(verified.errors)")
    #expect(!verified.errors.contains("openceir-eir"), "\(verified.errors)")
    let exposure = try await Program.run(
      Self.analyze, ["security", "--offline=true", "--threshold=15", "--no-pager", unit])
    #expect(exposure.status == 0, "\(exposure.output)\(exposure.errors)")
  }

  @Test(
    .enabled(
      if: hasSystemd && FileManager.default.fileExists(atPath: "/usr/bin/python3")))
  func `a node works behind the walls of the unit`() async throws {
    let scratch = try Scratch()
    let server = try await RegistryServer.started(scratch)
    let script = scratch.path + "/walls.py"
    try Self.walls.write(toFile: script, atomically: true, encoding: .utf8)
    let directory = scratch.path + "/node"
    try TestAuthority.shared.writeNode(to: directory + ".tls")
    let node = try Program(
      "/usr/bin/python3",
      [script, Self.path, Program.path(of: "eir"), "serve"] + NodeProcess.flags(directory)
        + NodeProcess.registryFlags(directory, server.url)
        + ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--mode", "white"]
        + ["--events-url", "http://127.0.0.1:1/"] + ProbeTests.flags, in: scratch.path)
    let checks = try await node.word(after: "eir: answering ", until: ",")
    let state = try String(contentsOfFile: "/proc/\(node.identifier)/status", encoding: .utf8)
    #expect(state.contains("Seccomp:\t2") && state.contains("NoNewPrivs:\t1"))
    print("memory that is written is not run: \(node.output.contains("memory 0"))")
    let flags = NodeProcess.flags(directory)
    try await eventually("it follows the registry") {
      try await NodeProcess.eir(["status"] + flags).output.contains(": ready")
    }
    let url = "http://\(checks)/n5g-eir-eic/v1/equipment-status?pei=imei-352099000000006"
    let answer = try await Program.run(
      "/usr/bin/curl", ["-s", "--http2-prior-knowledge", "--max-time", "10", url])
    #expect(answer.output.contains("WHITELISTED"), "\(node.errors)")
    let added = try await NodeProcess.eir(
      ["local", "add", "35209900", "--reason", "a test"] + flags)
    #expect(added.status == 0, "\(added.errors)")
    #expect(try await NodeProcess.eir(["reload"] + flags).status == 0)
    node.send(SIGTERM)
    #expect(try await node.end().status == 0, "\(node.errors)")
    #expect(!node.errors.contains("Operation not permitted"), "\(node.errors)")
    await server.stop()
  }

  private static let listener = """
    import os, socket, sys
    name = sys.argv[1]
    ears = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ears.bind("\\0" + name[1:] if name[0] == "@" else name)
    print("listening", flush=True)
    for _ in range(2): print(ears.recv(4096).decode(), flush=True)
    """

  @Test(arguments: ["SCRATCH/notify", "@openceir-test-SCRATCH"])
  func `the manager of services hears when the node answers and when it ends`(name: String)
    async throws
  {
    let scratch = try Scratch()
    let own = name.hasPrefix("@") ? UUID().uuidString : scratch.path
    let name = name.replacing("SCRATCH", with: own)
    let script = scratch.path + "/listener.py"
    try Self.listener.write(toFile: script, atomically: true, encoding: .utf8)
    let ears = try Program("/usr/bin/python3", [script, name], in: scratch.path)
    try await eventually("somebody listens") { ears.output.hasPrefix("listening\n") }
    let directory = scratch.path + "/node"
    try TestAuthority.shared.writeNode(to: directory + ".tls")
    let node = try Program(
      "eir",
      ["serve"] + NodeProcess.flags(directory)
        + NodeProcess.registryFlags(directory, "https://127.0.0.1:1")
        + ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"], in: scratch.path,
      environment: ["PATH": "/usr/bin:/bin", "NOTIFY_SOCKET": name])
    try await eventually("it is ready") { ears.output == "listening\nREADY=1\n" }
    _ = try await node.word(after: "eir: answering ", until: ",")
    node.send(SIGTERM)
    #expect(try await node.end().status == 0, "\(node.errors)")
    #expect(try await ears.end().output == "listening\nREADY=1\nSTOPPING=1\n")
  }
}

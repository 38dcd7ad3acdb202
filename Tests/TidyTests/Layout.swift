/// What each target may import, and where its tests are.
enum Layout {
  static let nio: Set<String> = [
    "NIOCore", "NIOPosix", "NIOHTTP1", "NIOHTTP2", "NIOHPACK", "NIOSSL", "NIOTLS",
    "NIOConcurrencyHelpers", "NIOFoundationCompat", "NIOExtras",
  ]
  /// Files, signals and sockets of the operating system.
  static let system: Set<String> = [
    "CoreFoundation", "Glibc", "Musl", "Darwin", "SystemPackage", "Synchronization",
  ]
  /// What a long-running service needs around its work.
  static let service: Set<String> = [
    "Configuration", "Hummingbird", "HummingbirdCore", "HummingbirdHTTP2", "HummingbirdTLS",
    "HTTPTypes", "Logging", "Metrics", "ServiceLifecycle", "UnixSignals",
  ]
  static let certificates: Set<String> = ["X509", "SwiftASN1"]

  /// Imports point down. `DeviceIdentity` is open to all, `DeviceLists` to all above it.
  static let mayImport: [String: Set<String>] = [
    "DeviceIdentity": [],
    "DeviceLists": ["DeviceIdentity", "Crypto"],
    "ListIndex": system.union(["DeviceLists", "Crypto", "HashTreeCollections"]),
    "ListExchange": certificates.union(["DeviceLists", "Crypto", "Foundation"]),
    "CMalloc": [],
    "CZlib": [],
    "GZip": ["CZlib"],
    "ExchangeTrust": nio.union(system).union(service).union(certificates).union([
      "DeviceLists", "AsyncHTTPClient", "Crypto", "Foundation",
    ]),
    // Files come packed.
    "RegistryFiles": system.union(["DeviceLists", "GZip"]),
    // Pure: rules are values, and the same evidence gets the same answer.
    "DeviceRules": ["DeviceLists"],
    "Diameter": ["NIOCore"],
    "EquipmentCheck": ["DeviceLists", "Diameter", "NIOCore"],
    "CheckServer": nio.union(system).union(["DeviceLists", "Logging"]),
    "CLibPQ": [],
    "PostgreSQL": system.union(["CLibPQ", "Logging"]),
    "LocalPostgreSQL": system.union(["PostgreSQL", "Foundation", "Logging"]),
    "RegistryStore": ["DeviceLists", "PostgreSQL", "Crypto", "Logging"],
    "NightlyJobs": nio.union(system).union([
      "DeviceLists", "DeviceRules", "RegistryStore", "RegistryFiles", "ListExchange", "ListIndex",
      "EquipmentCheck", "Diameter", "AsyncHTTPClient", "Crypto", "Foundation", "Logging",
    ]),
    // It puts the process together: the embedded cluster, and a pool for each role.
    "CEIRService": nio.union(system).union(service).union(certificates).union([
      "PostgreSQL", "LocalPostgreSQL", "DeviceLists", "DeviceRules", "RegistryStore", "ListIndex",
      "ListExchange", "CheckServer", "ExchangeTrust", "GZip", "AsyncHTTPClient",
      "EquipmentCheck", "CMalloc", "Crypto", "Foundation",
    ]),
    // No database: an operator must answer while the CEIR is away.
    "EIRNode": nio.union(system).union(service).union(certificates).union([
      "DeviceLists", "ListIndex", "ListExchange", "EquipmentCheck", "Diameter", "CheckServer",
      "ExchangeTrust", "GZip", "AsyncAlgorithms", "AsyncHTTPClient", "Crypto", "JWTKit",
      "Foundation",
    ]),
    "ceir": nio.union(system).union(service).union(certificates).union([
      "ArgumentParser", "DeviceLists", "DeviceRules", "RegistryStore", "RegistryFiles",
      "PostgreSQL", "LocalPostgreSQL", "NightlyJobs", "CEIRService", "ListIndex", "ListExchange",
      "ExchangeTrust",
      "Foundation",
    ]),
    "eir": nio.union(system).union(service).union([
      "ArgumentParser", "DeviceLists", "ListIndex", "ListExchange", "EquipmentCheck",
      "CheckServer", "ExchangeTrust", "EIRNode", "Foundation",
    ]),
  ]

  /// Targets of `Sources` that have no folder of their own under `Tests`, with the reason.
  static let withoutTests: [String: String] = [
    "CMalloc": "a module map over one header of the C library; SnapshotBenchmark measures its use",
    "CZlib": "a module map over zlib; GZipTests calls every function that is used",
    "CLibPQ": "a module map over libpq; PostgreSQLTests calls every function that is used",
    "ceir": "arguments only; EndToEndTests runs the command",
    "eir": "arguments only; EndToEndTests runs the command",
  ]

  /// Files that are longer than ``Guards/longestFile``, with the reason.
  static let longFiles: [String: String] = [:]

  static func testFolder(of target: String) -> String { target + "Tests" }
}

// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

func target(
  _ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil,
  exclude: [String] = [], resources: [Resource] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: path, exclude: exclude, resources: resources,
    swiftSettings: strict)
}

func command(
  _ name: String, _ dependencies: [Target.Dependency], path: String? = nil
) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, path: path, swiftSettings: strict)
}

func test(
  _ name: String, _ dependencies: [Target.Dependency]
) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let asyncAlgorithms: Target.Dependency = .product(
  name: "AsyncAlgorithms", package: "swift-async-algorithms")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let hashTrees: Target.Dependency = .product(
  name: "HashTreeCollections", package: "swift-collections")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting: Target.Dependency = .product(
  name: "HummingbirdTesting", package: "hummingbird")
let hummingbirdHTTP2: Target.Dependency = .product(name: "HummingbirdHTTP2", package: "hummingbird")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let configuration: Target.Dependency = .product(
  name: "Configuration", package: "swift-configuration")
let argumentParser: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")

let lifecycle: Target.Dependency = .product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Target.Dependency = .product(
  name: "UnixSignals", package: "swift-service-lifecycle")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let tls: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let jwtKit: Target.Dependency = .product(name: "JWTKit", package: "jwt-kit")
let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

func nio(_ name: String) -> Target.Dependency { .product(name: name, package: "swift-nio") }
func http2(_ name: String) -> Target.Dependency { .product(name: name, package: "swift-nio-http2") }

let package = Package(
  name: "OpenCEIR",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
    .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.1.4"),
    .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
  ],
  targets: [
    target("DeviceIdentity"),
    target("DeviceLists", ["DeviceIdentity", crypto]),
    .systemLibrary(
      name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    target("PostgreSQL", ["CLibPQ"]),
    target("LocalPostgreSQL", ["PostgreSQL"]),
    target("RegistryStore", ["DeviceIdentity", "DeviceLists", "PostgreSQL", crypto]),
    target("ListIndex", ["DeviceIdentity", "DeviceLists", crypto, hashTrees]),
    target(
      "ListExchange", ["DeviceIdentity", "DeviceLists", crypto],
      resources: [.embedInCode("openapi.yaml")]),
    .systemLibrary(name: "CMalloc"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    target("GZip", ["CZlib"]),
    target(
      "ExchangeTrust",
      [
        "DeviceLists", asn1, crypto, httpClient, hummingbird, hummingbirdCore, hummingbirdHTTP2,
        logging, nio("NIOCore"), nio("NIOTLS"), tls, x509,
      ]),
    target(
      "CheckServer",
      [
        http2("NIOHPACK"), nio("NIOConcurrencyHelpers"), nio("NIOCore"), nio("NIOHTTP1"),
        nio("NIOPosix"),
      ]),
    target("Diameter", [nio("NIOCore")]),
    target(
      "EquipmentCheck", ["DeviceIdentity", "DeviceLists", "Diameter", nio("NIOCore")]),
    target("RegistryFiles", ["DeviceIdentity", "DeviceLists", "GZip"]),
    target("DeviceRules", ["DeviceIdentity", "DeviceLists"]),
    target(
      "NightlyJobs",
      [
        "DeviceIdentity", "DeviceLists", "DeviceRules", "RegistryFiles", "RegistryStore", crypto,
      ]),
    target(
      "CEIRService",
      [
        "CMalloc", "CheckServer", "DeviceIdentity", "DeviceLists", "ExchangeTrust", "GZip",
        "ListExchange", "ListIndex", "LocalPostgreSQL", "PostgreSQL", "RegistryStore",
        configuration, crypto, httpClient, httpTypes, hummingbird, lifecycle, logging,
        nio("NIOCore"), nio("NIOHTTP1"), nio("NIOPosix"), unixSignals, x509,
      ]),
    command(
      "ceir",
      [
        "CEIRService", "DeviceIdentity", "DeviceLists", "DeviceRules", "ExchangeTrust",
        "ListExchange", "LocalPostgreSQL", "NightlyJobs", "PostgreSQL", "RegistryFiles",
        "RegistryStore", argumentParser, configuration, logging, systemPackage, x509,
      ]),
    target(
      "EIRNode",
      [
        "CheckServer", "DeviceIdentity", "DeviceLists", "Diameter", "EquipmentCheck",
        "ExchangeTrust", "GZip", "ListExchange", "ListIndex", asn1, asyncAlgorithms, configuration,
        crypto, httpClient, httpTypes, hummingbird, hummingbirdCore, jwtKit, lifecycle, logging,
        nio("NIOCore"), nio("NIOHTTP1"), nio("NIOPosix"), nio("NIOTLS"), systemPackage, tls,
        unixSignals, x509,
      ]),
    command("eir", ["EIRNode", argumentParser, logging]),
    target(
      "Simulation",
      [
        "DeviceIdentity", "DeviceLists", "LocalPostgreSQL", "PostgreSQL", "RegistryFiles",
        "RegistryStore",
      ], path: "Tests/Simulation", exclude: ["Data", "Programs"]),
    command(
      "sample-country",
      ["DeviceIdentity", "DeviceLists", "RegistryFiles", "Simulation", argumentParser],
      path: "Tests/sample-country"),
    command(
      "benchmark",
      [
        "CEIRService", "CheckServer", "DeviceIdentity", "DeviceLists", "Diameter", "EIRNode",
        "EquipmentCheck", "ListExchange", "ListIndex", "NightlyJobs", "PostgreSQL",
        "RegistryFiles", "RegistryStore", "Simulation", nio("NIOCore"), nio("NIOPosix"), logging,
      ], path: "Tests/benchmark"),
    target(
      "Fuzzing",
      [
        "DeviceIdentity", "DeviceLists", "Diameter", "EquipmentCheck", "ListIndex", crypto,
        nio("NIOCore"),
      ], path: "Tests/Fuzzing", exclude: ["Corpus"]),
    command("fuzz", ["Fuzzing"], path: "Tests/fuzz"),
    test(
      "FuzzTests", ["DeviceIdentity", "DeviceLists", "Fuzzing", "ListIndex", "Simulation"]),
    test("DeviceIdentityTests", ["DeviceIdentity", "Simulation"]),
    test("DeviceListsTests", ["DeviceIdentity", "DeviceLists", "Simulation"]),
    test(
      "RegistryFilesTests", ["DeviceIdentity", "DeviceLists", "RegistryFiles", "Simulation"]),
    test("DeviceRulesTests", ["DeviceIdentity", "DeviceLists", "DeviceRules", "Simulation"]),
    test(
      "SimulationTests",
      ["DeviceIdentity", "DeviceLists", "DeviceRules", "RegistryFiles", "Simulation"]),
    test("TidyTests", []),
    test("PostgreSQLTests", ["LocalPostgreSQL", "PostgreSQL", "Simulation"]),
    test("LocalPostgreSQLTests", ["LocalPostgreSQL", "PostgreSQL", "Simulation"]),
    test(
      "RegistryStoreTests",
      [
        "DeviceIdentity", "DeviceLists", "PostgreSQL", "RegistryStore", "Simulation", crypto,
      ]),
    test(
      "NightlyJobsTests",
      [
        "DeviceIdentity", "DeviceLists", "DeviceRules", "NightlyJobs", "PostgreSQL",
        "RegistryFiles", "RegistryStore", "Simulation",
      ]),
    .testTarget(
      name: "CEIRServiceTests",
      dependencies: [
        "CEIRService", "DeviceIdentity", "DeviceLists", "ExchangeTrust", "GZip", "ListExchange",
        "ListIndex", "PostgreSQL", "RegistryStore", "Simulation", configuration, crypto, httpClient,
        hummingbird, hummingbirdTesting, logging, nio("NIOCore"), nio("NIOHTTP1"),
        nio("NIOPosix"), asn1, x509,
      ], exclude: ["Golden"], swiftSettings: strict),
    test(
      "CheckServerTests",
      [
        "CheckServer", "Simulation", http2("NIOHPACK"), http2("NIOHTTP2"),
        nio("NIOConcurrencyHelpers"), nio("NIOCore"), nio("NIOHTTP1"), nio("NIOPosix"),
      ]),
    test("DiameterTests", ["Diameter", "Simulation", nio("NIOCore")]),
    test(
      "EquipmentCheckTests",
      [
        "DeviceIdentity", "DeviceLists", "Diameter", "EquipmentCheck", "Simulation",
        nio("NIOCore"),
      ]),
    test(
      "ListIndexTests", ["DeviceIdentity", "DeviceLists", "ListIndex", "Simulation", crypto]),
    test("GZipTests", ["GZip"]),
    test("ContractTests", ["DeviceLists", "ExchangeTrust", "ListExchange", asn1, crypto, x509]),
    test(
      "ExchangeTrustTests",
      [
        "CheckServer", "DeviceLists", "ExchangeTrust", "Simulation", asn1, crypto, httpClient,
        hummingbird, lifecycle, logging, nio("NIOCore"), nio("NIOPosix"), tls, x509,
      ]),
    test(
      "ListExchangeTests",
      ["DeviceIdentity", "DeviceLists", "ListExchange", "Simulation", crypto]),
    .testTarget(
      name: "EIRNodeTests",
      dependencies: [
        "CheckServer", "DeviceIdentity", "DeviceLists", "Diameter", "EIRNode", "EquipmentCheck",
        "ExchangeTrust", "GZip", "ListExchange", "ListIndex", "Simulation", "eir", crypto,
        httpClient, httpTypes, hummingbird, hummingbirdCore, jwtKit, logging, nio("NIOCore"),
        nio("NIOHTTP1"), nio("NIOPosix"), tls, x509,
      ], exclude: ["Golden"], swiftSettings: strict),
    test(
      "EndToEndTests",
      [
        "DeviceIdentity", "DeviceLists", "LocalPostgreSQL", "PostgreSQL", "RegistryStore",
        "Simulation", nio("NIOCore"), nio("NIOPosix"),
      ]),
  ]
)

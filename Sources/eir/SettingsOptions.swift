import ArgumentParser
import EIRNode
import Foundation

/// The flags that every command has.
struct CommonOptions: ParsableArguments {
  @Option(help: "JSON file with settings.", completion: .file(extensions: ["json"]))
  var config: String?

  @Option(help: "Directory that holds the list.", completion: .directory)
  var directory: String?

  @Option(help: "Name of the registry that is followed.")
  var registry: String?

  @Option(help: "Your operator's code at the registry.")
  var `operator`: String?

  @Option(help: "Address for these tools, loopback only. (default: 127.0.0.1:8081)")
  var admin: String?

  func sources(_ more: [SettingKey: String?] = [:]) -> SettingsSources {
    let own: [SettingKey: String?] = [
      .directory: directory, .registry: registry, .operator: self.operator, .admin: admin,
    ]
    return SettingsSources(
      flags: own.merging(more) { $1 }.compactMapValues { $0 },
      environment: ProcessInfo.processInfo.environment, file: config)
  }
}

/// How the registry is reached.
struct RegistryOptions: ParsableArguments {
  @Option(help: "Address of the CEIR, such as https://127.0.0.1:8443.")
  var ceirUrl: String?

  @Option(help: "Directory of node.pem, node.key and root.pem.", completion: .directory)
  var tlsDirectory: String?

  var flags: [SettingKey: String?] {
    [.ceirURL: ceirUrl, .tlsDirectory: tlsDirectory]
  }
}

/// Where and for whom S13 is answered.
struct S13Options: ParsableArguments {
  @Option(help: "Address on which MMEs and SGSNs are answered over Diameter.")
  var s13Listen: String?

  @Option(help: "The same over TLS.")
  var s13TlsListen: String?

  @Option(help: "This node's certificate for S13 over TLS, in PEM.", completion: .file())
  var s13TlsCertificate: String?

  @Option(help: "Its key.", completion: .file())
  var s13TlsKey: String?

  @Option(help: "Whose certificates Diameter peers must show.", completion: .file())
  var s13TlsClientCa: String?

  @Option(help: "The same over SCTP, where the kernel has it.")
  var s13SctpListen: String?

  @Option(help: "This node's Diameter name, its Origin-Host.")
  var s13Host: String?

  @Option(help: "This node's Diameter realm, its Origin-Realm.")
  var s13Realm: String?

  @Option(help: "Other realms that are served, with commas between.")
  var s13Realms: String?

  @Option(help: "Origin-Hosts that may connect, *.DOMAIN for all below it, or any.")
  var s13Peers: String?

  @Option(
    help: "Seconds of silence after which a Diameter peer is asked whether it lives. (default: 30)")
  var s13WatchdogSeconds: String?

  var flags: [SettingKey: String?] {
    [
      .s13TLSListen: s13TlsListen, .s13TLSCertificate: s13TlsCertificate, .s13TLSKey: s13TlsKey,
      .s13TLSClientCA: s13TlsClientCa,
      .s13Listen: s13Listen, .s13SCTPListen: s13SctpListen, .s13Host: s13Host, .s13Realm: s13Realm,
      .s13Realms: s13Realms,
      .s13Peers: s13Peers, .s13WatchdogSeconds: s13WatchdogSeconds,
    ]
  }
}

/// The relay between OsmoMSC and osmo-hlr.
struct GSUPOptions: ParsableArguments {
  @Option(help: "Address on which OsmoMSC is answered over GSUP.")
  var gsupListen: String?

  @Option(help: "Address of osmo-hlr, to which all but device checks is passed on.")
  var gsupHlr: String?

  @Option(
    help: "What GSUP answers where the answer is unknown: allow or refuse. (default: allow)",
    completion: .list(["allow", "refuse"]))
  var gsupUnknown: String?

  var flags: [SettingKey: String?] {
    [.gsupListen: gsupListen, .gsupHLR: gsupHlr, .gsupUnknown: gsupUnknown]
  }
}

/// The operator's own system, which is told that a subscriber has another device.
struct EventsOptions: ParsableArguments {
  @Option(help: "Address of your system that is told of devices that change.")
  var eventsUrl: String?

  @Option(help: "File whose first line is shown there as a bearer token.", completion: .file())
  var eventsTokenFile: String?

  @Option(help: "Certificates that are trusted there instead of the system's.", completion: .file())
  var eventsCaFile: String?

  @Flag(help: "Tell of the first device of a subscriber too.")
  var eventsFirst = false

  @Option(help: "Days after which a subscriber that was not seen is forgotten. (default: 180)")
  var eventsForgetDays: String?

  @Option(help: "Subscribers whose device is known at once. (default: 5000000)")
  var eventsSubscribersMax: String?

  var flags: [SettingKey: String?] {
    [
      .eventsURL: eventsUrl, .eventsTokenFile: eventsTokenFile, .eventsCAFile: eventsCaFile,
      .eventsFirst: eventsFirst ? "true" : nil, .eventsForgetDays: eventsForgetDays,
      .eventsSubscribersMax: eventsSubscribersMax,
    ]
  }
}

/// What a shell offers.
private enum Values {
  static let answers = ["white", "grey", "black", "unknown"]
  static let modes = answers + ["ask"]
}

/// How a node decides. The same settings explain a verdict when no node runs.
struct DecisionOptions: ParsableArguments {
  @Option(
    help: """
      What a device on no list is answered: white, grey, black, unknown, or ask the CEIR. \
      (default: unknown)
      """,
    completion: .list(Values.modes))
  var mode: String?

  @Option(help: "Other modes for some, such as imsi:00101=ask,tac:35209900=white.")
  var modeRules: String?

  @Flag(help: "Decide, count and log, but let everything through.")
  var shadow = false

  @Option(help: "One answer for every device. (default: none)", completion: .list(Values.answers))
  var override: String?

  @Option(
    help: "Answer without a list, or with one that is too old. (default: unknown)",
    completion: .list(Values.answers))
  var policyFailure: String?

  @Option(
    help: "Answer for what should be an IMEI and is none. (default: unknown)",
    completion: .list(Values.answers))
  var policyUnusable: String?

  @Option(
    help: "Answer for a device without an IMEI. (default: unknown)",
    completion: .list(Values.answers))
  var policyNoImei: String?

  @Option(
    help: """
      Answer for a black device with exceptions, asked without its subscriber. (default: grey)
      """,
    completion: .list(Values.answers))
  var policyNoSubscriber: String?

  @Option(
    help: "Answer for placeholder and test identities that are on no list. (default: none)",
    completion: .list(Values.answers))
  var policySpecial: String?

  @Option(help: "Age from which the list is not trusted, in seconds. (default: 604800)")
  var listAgeMaxSeconds: String?

  @Option(help: "TACs, IMEIs and ranges that you block yourself, with commas between.")
  var localBlack: String?

  @Option(help: "Answers by the first digits of the IMSI or by FIRST-LAST, such as 00101=white.")
  var subscriberRules: String?

  var flags: [SettingKey: String?] {
    [
      .mode: mode, .modeRules: modeRules, .shadow: shadow ? "true" : nil, .override: override,
      .policyFailure: policyFailure, .policyUnusable: policyUnusable,
      .policyNoIMEI: policyNoImei, .policyNoSubscriber: policyNoSubscriber,
      .policySpecial: policySpecial, .listAgeMaxSeconds: listAgeMaxSeconds,
      .localBlack: localBlack, .subscriberRules: subscriberRules,
    ]
  }
}

/// How N17 is guarded.
struct N17Options: ParsableArguments {
  @Option(
    help: "File of the NRF's public keys: from then on an access token is required.",
    completion: .file())
  var n17TokenKeys: String?

  @Option(help: "UUID by which the NRF knows this node.")
  var n17NfInstanceId: String?

  @Option(help: "Certificate, and those of its issuers, in PEM.", completion: .file())
  var n17TlsCertificate: String?

  @Option(help: "Private key of that certificate, in PEM.", completion: .file())
  var n17TlsKey: String?

  @Option(
    help: "Authorities in PEM, one of which must have certified each client.",
    completion: .file())
  var n17TlsClientCa: String?

  var flags: [SettingKey: String?] {
    [
      .n17TokenKeys: n17TokenKeys, .n17NFInstanceID: n17NfInstanceId,
      .n17TLSCertificate: n17TlsCertificate, .n17TLSKey: n17TlsKey,
      .n17TLSClientCA: n17TlsClientCa,
    ]
  }
}

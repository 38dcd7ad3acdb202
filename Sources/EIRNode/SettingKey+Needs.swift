extension SettingKey {
  /// Settings of which one must be given for this one to have an effect; nil for all others.
  fileprivate var needs: [SettingKey]? {
    switch self {
    case .gsupHLR, .gsupUnknown: [.gsupListen]
    case .s13TLSCertificate, .s13TLSKey, .s13TLSClientCA: [.s13TLSListen]
    case .s13Host, .s13Realm, .s13Realms, .s13Peers, .s13WatchdogSeconds:
      [.s13Listen, .s13TLSListen, .s13SCTPListen]
    case .eventsTokenFile, .eventsCAFile, .eventsFirst, .eventsForgetDays, .eventsSubscribersMax:
      [.eventsURL]
    case .filesOutbox, .filesPollSeconds, .filesDone: [.filesDirectory]
    default: nil
    }
  }
}

extension [SettingKey: String] {
  /// A sentence for each that was given and has no effect, because another is missing.
  var idle: [String] {
    SettingKey.allCases.compactMap { key in
      guard self[key] != nil, let needs = key.needs, needs.allSatisfy({ self[$0] == nil }) else {
        return nil
      }
      let missing = needs.map(\.rawValue).joined(separator: " or ")
      return "\(key.rawValue) has no effect: it needs \(missing), which is not set"
    }
  }
}

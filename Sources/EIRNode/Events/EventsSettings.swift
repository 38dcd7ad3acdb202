import Foundation

/// Where the operator's own system is told that a subscriber has another device.
package struct EventsSettings: Hashable, Sendable {
  package static let forgetDaysAllowed = 1...3_650
  package static let subscribersAllowed = 1_000...100_000_000

  /// `http` or `https`.
  package var url: String
  /// Its first line is shown as a bearer token; nil where none is.
  package var tokenFile: String?
  /// Certificates that are trusted instead of the system's.
  package var caFile: String?
  /// Whether the first device of a subscriber is told too.
  package var tellsFirst = false
  /// Who was not seen for so long is forgotten.
  package var forgetDays = 180
  package var subscribersMax = 5_000_000

  package init(url: String) { self.url = url }
}

extension SettingsText {
  /// Nil where nobody is told.
  mutating func events() -> EventsSettings? {
    let address = "give the address of your system, such as https://events.example.org/devices"
    let url = optional(.eventsURL, address) { Self.webAddress($0) }
    var settings = EventsSettings(url: url ?? "")
    settings.tokenFile = text(.eventsTokenFile)
    settings.caFile = text(.eventsCAFile)
    if let tellsFirst = truth(.eventsFirst) { settings.tellsFirst = tellsFirst }
    if let days = optional(
      .eventsForgetDays, "give whole days, from 1 to 3650",
      { text in Int(text).flatMap { EventsSettings.forgetDaysAllowed.contains($0) ? $0 : nil } })
    {
      settings.forgetDays = days
    }
    if let most = optional(
      .eventsSubscribersMax, "give a whole number, from 1000 to 100000000",
      { text in Int(text).flatMap { EventsSettings.subscribersAllowed.contains($0) ? $0 : nil } })
    {
      settings.subscribersMax = most
    }
    return url == nil ? nil : settings
  }

  private static func webAddress(_ text: String) -> String? {
    guard let parts = URLComponents(string: text), parts.host?.isEmpty == false,
      ["http", "https"].contains(parts.scheme), parts.user == nil, parts.password == nil,
      parts.fragment == nil
    else { return nil }
    return text
  }
}

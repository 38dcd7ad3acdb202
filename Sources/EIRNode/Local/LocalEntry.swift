import DeviceLists

/// Who did something to a local entry, when and why.
package struct LocalNote: Hashable, Codable, Sendable {
  package static let longestName = 64
  package static let longestReason = 512

  /// In UTC.
  package let at: String
  /// As the person calls itself: the token is shared by all who may give orders.
  package let by: String
  /// The account of the operating system from which the command `eir` was run.
  package let account: String?
  package let reason: String

  init(_ author: LocalAuthor, asOf now: Instant) throws(NodeError) {
    try LocalText.check(author.by, "the name of who asks (--by)", most: Self.longestName)
    if let account = author.account {
      try LocalText.check(account, "the account", most: Self.longestName)
    }
    try LocalText.check(author.reason, "the reason", most: Self.longestReason)
    at = now.description
    by = author.by
    account = author.account
    reason = author.reason
  }

  /// Ends an entry that a damaged line has suspended.
  init(_ added: LocalNote, addedAgainAs id: LocalID) {
    (at, by, account) = (added.at, added.by, added.account)
    reason = "added again as \(id)"
  }
}

/// What a person says when it adds or ends a local entry.
package struct LocalAuthor: Hashable, Codable, Sendable {
  package var by: String
  package var account: String?
  package var reason: String

  package init(by: String, account: String? = nil, reason: String) {
    self.by = by
    self.account = account
    self.reason = reason
  }
}

enum LocalText {
  /// What hides, turns round or breaks a line where a person reads it.
  private static let refused: Set<Unicode.GeneralCategory> = [
    .control, .format, .lineSeparator, .paragraphSeparator,
  ]
  /// The joiners, which Persian and the scripts of India are written with, and which hide nothing.
  private static let joiners: Set<Unicode.Scalar> = ["\u{200C}", "\u{200D}"]

  /// Printable and no longer than `most` bytes.
  static func check(_ text: String, _ what: String, most: Int) throws(NodeError) {
    let isPrintable = text.unicodeScalars.allSatisfy {
      joiners.contains($0) || !refused.contains($0.properties.generalCategory)
    }
    guard isPrintable, (1...most).contains(text.utf8.count) else {
      throw NodeError(
        .settings, "\(what) must have 1 to \(most) bytes and no control, format or line characters")
    }
  }
}

/// An entry of the operator's own black list: of its settings, or added while the node runs.
package struct LocalEntry: Hashable, Codable, Sendable {
  package enum Source: String, Codable, Sendable {
    case local, settings
  }

  package static let longestCaseReference = 64

  package let source: Source
  /// Nil for an entry of the settings.
  package let id: LocalID?
  package let subject: LocalSubject
  /// Nil for all, and for devices that report none.
  package let svn: SoftwareVersions?
  package let overridable: Bool
  package let caseReference: String?
  package let added: LocalNote?
  /// Nil while the entry is in force or suspended.
  package var ended: LocalNote?
  /// True where a damaged line may have ended the entry: it makes nothing black until a person adds
  /// it again. Never in the file.
  package var suspended: Bool?

  private enum CodingKeys: String, CodingKey {
    case source, id, subject, svn, overridable
    case caseReference = "case"
    case added, ended, suspended
  }

  init(_ id: LocalID, _ order: LocalOrder, asOf now: Instant) throws(NodeError) {
    guard let subject = LocalSubject(order.subject) else {
      throw NodeError(.settings, "the subject must be \(LocalSubject.advice)")
    }
    guard order.wide == true || !subject.isWide else {
      throw NodeError(
        .settings,
        "the range would make \(subject.deviceCount) devices black, more than the "
          + "\(LocalSubject.mostDevices) of a TAC: say --wide (\"wide\":true) if it is to be so")
    }
    if let svn = order.svn, SoftwareVersions(svn) == nil {
      throw NodeError(.settings, "the software version must be \(SoftwareVersions.advice)")
    }
    if let text = order.caseReference {
      try LocalText.check(text, "the case", most: Self.longestCaseReference)
    }
    source = .local
    self.id = id
    self.subject = subject
    svn = order.svn.flatMap { SoftwareVersions($0) }
    overridable = order.overridable ?? true
    caseReference = order.caseReference
    added = try LocalNote(order.author, asOf: now)
  }

  init(ofSettings entry: LocalBlackList.Entry) {
    source = .settings
    id = nil
    subject = LocalSubject(entry.range)
    svn = entry.softwareVersions.map { SoftwareVersions($0) }
    overridable = entry.isOverridable
    (caseReference, added) = (nil, nil)
  }

  var black: LocalBlackList.Entry {
    LocalBlackList.Entry(
      range: subject.range, softwareVersions: svn?.numbers, isOverridable: overridable)
  }
}

/// What a person wants to block by itself.
package struct LocalOrder: Hashable, Codable, Sendable {
  package var subject: String
  package var svn: String?
  package var overridable: Bool?
  /// Whether a range may have more devices than a TAC; nil is false.
  package var wide: Bool?
  package var caseReference: String?
  package var author: LocalAuthor

  private enum CodingKeys: String, CodingKey {
    case subject, svn, overridable, wide
    case caseReference = "case"
    case author
  }

  package init(
    subject: String, svn: String? = nil, overridable: Bool? = nil, wide: Bool? = nil,
    caseReference: String? = nil, author: LocalAuthor
  ) {
    self.subject = subject
    self.svn = svn
    self.overridable = overridable
    self.wide = wide
    self.caseReference = caseReference
    self.author = author
  }
}

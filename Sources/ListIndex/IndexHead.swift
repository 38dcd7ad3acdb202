package import DeviceLists

/// What one index holds: what a node follows, or the entries of one scope at the registry.
package enum IndexContent: Hashable, Sendable {
  case feed(Feed)
  case scope(Scope)

  package func contains(_ scope: Scope) -> Bool {
    switch self {
    case .feed(let feed): feed.contains(scope)
    case .scope(let only): scope == only
    }
  }

  /// The scope of the `own` parts; nil where there are none.
  var ownScope: Scope? {
    switch self {
    case .feed(let feed): .only(feed.ownOperator)
    case .scope(.all): nil
    case .scope(let scope): scope
    }
  }

  /// Whether entries may have an `all` part.
  var holdsAll: Bool {
    switch self {
    case .feed: true
    case .scope(let scope): scope == .all
    }
  }
}

/// The digests of the two parts of a list.
package struct ScopeDigests: Hashable, Sendable {
  package var all: ListDigest
  package var own: ListDigest

  package init(all: ListDigest = .zero, own: ListDigest = .zero) {
    self.all = all
    self.own = own
  }

  /// The digest of the feed.
  package var sum: ListDigest { all + own }
}

/// Which list this is, where it stands, and with what content.
package struct IndexHead: Hashable, Sendable {
  package var registry: RegistryName
  package var content: IndexContent
  package var epoch: Epoch
  package var position: Position
  package var digests: ScopeDigests
  /// When the registry last said that this position is current.
  package var issuedAt: Instant

  package init(
    registry: RegistryName, content: IndexContent, epoch: Epoch, position: Position,
    digests: ScopeDigests, issuedAt: Instant
  ) {
    self.registry = registry
    self.content = content
    self.epoch = epoch
    self.position = position
    self.digests = digests
    self.issuedAt = issuedAt
  }

  package var listHead: ListHead {
    ListHead(epoch: epoch, position: position, digest: digests.sum, issuedAt: issuedAt)
  }
}

/// How many subjects of each kind are on a list.
package struct SubjectCounts: Hashable, Sendable {
  package var imeis: UInt64 = 0
  package var ranges: UInt64 = 0
  package var tacs: UInt64 = 0
  package var pairings: UInt64 = 0

  package init() {}

  package var total: UInt64 { imeis + ranges + tacs + pairings }

  subscript(kind: Subject.Kind) -> UInt64 {
    get {
      switch kind {
      case .imei: imeis
      case .range: ranges
      case .tac: tacs
      case .pairing: pairings
      }
    }
    set {
      switch kind {
      case .imei: imeis = newValue
      case .range: ranges = newValue
      case .tac: tacs = newValue
      case .pairing: pairings = newValue
      }
    }
  }
}

/// A subject with what is listed for it.
package struct ListedEntry: Hashable, Sendable {
  package let subject: Subject
  package let listed: ListedClass

  package init(subject: Subject, listed: ListedClass) {
    self.subject = subject
    self.listed = listed
  }
}

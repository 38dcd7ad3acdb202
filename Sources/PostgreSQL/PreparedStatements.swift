/// Decides which statements of one connection are prepared. The first use runs as it is, since
/// most statements of start-up never come again; the second prepares.
struct PreparedStatements {
  enum Use: Equatable {
    case asIs
    case prepare(name: String, evicting: String?)
    case prepared(name: String)
  }

  private struct Key: Hashable {
    let sql: String
    let types: [UInt32]
  }

  private struct Entry {
    var name: String?
    var lastUse: UInt64
  }

  let limit: Int
  private var entries: [Key: Entry] = [:]
  private var clock: UInt64 = 0
  private var namesGiven = 0

  init(limit: Int) { self.limit = limit }

  mutating func use(_ statement: EncodedStatement) -> Use {
    guard limit > 0 else { return .asIs }
    clock += 1
    let key = Key(sql: statement.sql, types: statement.parameters.types)
    guard let entry = entries[key] else {
      let evicted = evictIfFull()
      entries[key] = Entry(name: nil, lastUse: clock)
      // A statement that is still prepared on the server must not be forgotten.
      if let evicted { return dropFirst(evicted, for: key) }
      return .asIs
    }
    entries[key]?.lastUse = clock
    if let name = entry.name { return .prepared(name: name) }
    namesGiven += 1
    return .prepare(name: "s\(namesGiven)", evicting: nil)
  }

  mutating func didPrepare(_ statement: EncodedStatement) {
    let key = Key(sql: statement.sql, types: statement.parameters.types)
    entries[key]?.name = "s\(namesGiven)"
  }

  mutating func removeAll() { entries.removeAll() }

  /// The least recently used name, if the server must forget it.
  private mutating func evictIfFull() -> String? {
    guard entries.count >= limit,
      let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse })
    else { return nil }
    entries[oldest.key] = nil
    return oldest.value.name
  }

  /// Space was made by dropping a prepared statement: prepare the new one in its place.
  private mutating func dropFirst(_ evicted: String, for key: Key) -> Use {
    namesGiven += 1
    return .prepare(name: "s\(namesGiven)", evicting: evicted)
  }
}

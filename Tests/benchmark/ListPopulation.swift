import DeviceIdentity
import DeviceLists
import ListIndex
import RegistryFiles
import Simulation

/// Devices as markets have them: few types have very many, and serials are spread within a type.
struct ListPopulation {
  static let seed: UInt64 = 42
  static let mostPerTAC = 900_000
  static let classCount = 64
  static let tacFile = "Tests/Simulation/Data/tac/osmocom-tac.csv"

  let types: [TAC]
  var generator: SeededGenerator

  init() throws {
    types = try SampleTypes.read(ByteSource(path: Self.tacFile), fileName: Self.tacFile)
    generator = SeededGenerator(seed: Self.seed)
  }

  mutating func below(_ limit: Int) -> Int { Int(generator.next() % UInt64(limit)) }

  /// Different IMEIs in rising order. The weight of a type falls with the 0.8th power of its rank.
  mutating func keys(count: Int) -> [UInt64] {
    var keys: [UInt64] = []
    keys.reserveCapacity(count)
    visitKeys(count: count) { keys.append($0) }
    return keys
  }

  /// As ``keys(count:)``, one after another: a list may be larger than memory.
  mutating func visitKeys<Failure: Error>(
    count: Int, _ body: (UInt64) throws(Failure) -> Void
  ) throws(Failure) {
    let shuffled = types.shuffled(using: &generator)
    let weights = (0..<types.count).map { Power.of(Double($0 + 1), -0.8) }
    let total = weights.reduce(0, +)
    var counts = weights.map {
      min(Self.mostPerTAC, max(1, Int($0 / total * Double(count))))
    }
    var rest = count - counts.reduce(0, +)
    var place = 0
    while rest > 0 {
      let more = min(Self.mostPerTAC - counts[place % counts.count], min(rest, 200))
      counts[place % counts.count] += more
      rest -= more
      place += 1
    }
    for (tac, count) in zip(shuffled, counts).sorted(by: { $0.0 < $1.0 }) {
      try visit(tac.imeis.lowerBound.number, count, body)
    }
  }

  private mutating func visit<Failure: Error>(
    _ first: UInt64, _ count: Int, _ body: (UInt64) throws(Failure) -> Void
  ) throws(Failure) {
    var bits = [UInt64](repeating: 0, count: 15_625)
    var found = 0
    while found < count {
      let serial = below(1_000_000)
      if bits[serial >> 6] >> UInt64(serial & 63) & 1 == 0 {
        bits[serial >> 6] |= 1 << UInt64(serial & 63)
        found += 1
      }
    }
    for (place, word) in bits.enumerated() {
      var word = word
      while word != 0 {
        try body(first + UInt64(place * 64 + word.trailingZeroBitCount))
        word &= word - 1
      }
    }
  }

  static let classes: [ListedClass] = (0..<classCount).map { number in
    let codes = GroundCodeSet(rawValue: UInt64(number & 15) << 4 | 1)
    let status = [ListStatus.black, .grey, .white, .black][number >> 4]
    return ListedClass(
      all: EntryClass(status: status, codes: codes, isOverridable: number >> 4 != 3))
  }

  /// The keys as a feed's index file, each with a class drawn by chance.
  mutating func write(
    _ keys: [UInt64], registry: RegistryName, feed: Feed, to path: String
  ) throws -> WrittenIndex {
    var file = try PopulationFile(path, generator)
    for key in keys { try file.append(key) }
    generator = file.generator
    return try file.finish(registry, feed, Position(1))
  }

  /// As many keys, of which none is kept.
  ///
  /// - Parameter seen: told of each key.
  mutating func write(
    count: Int, registry: RegistryName, feed: Feed, position: Position = Position(1),
    to path: String, _ seen: (UInt64) -> Void
  ) throws -> WrittenIndex {
    var file = try PopulationFile(path, SeededGenerator(seed: Self.seed + 1))
    try visitKeys(count: count) { (key) throws in
      try file.append(key)
      seen(key)
    }
    return try file.finish(registry, feed, position)
  }
}

/// An index file while it is written.
private struct PopulationFile {
  private let writer: IndexFileWriter
  private(set) var generator: SeededGenerator
  private var canonical = ListPopulation.classes.compactMap { listed in
    listed.all.map { CanonicalEntry(scope: .all, entryClass: $0) }
  }
  private var digest = ListDigest.zero

  init(_ path: String, _ generator: SeededGenerator) throws {
    writer = try IndexFileWriter(path: path)
    self.generator = generator
  }

  mutating func append(_ key: UInt64) throws {
    let number = Int(generator.next() % UInt64(ListPopulation.classCount))
    let subject = Subject.imei(IMEI(unchecked: key))
    try writer.append(subject, ListPopulation.classes[number])
    digest += canonical[number].digest(of: subject)
  }

  func finish(
    _ registry: RegistryName, _ feed: Feed, _ position: Position
  ) throws -> WrittenIndex {
    try writer.finish(
      head: IndexHead(
        registry: registry, content: .feed(feed), epoch: Epoch(high: 1, low: 2),
        position: position, digests: ScopeDigests(all: digest),
        issuedAt: Instant(secondsSinceEpoch: 1_800_000_000)))
  }
}

import DeviceIdentity
import DeviceLists
import Foundation
import Simulation
import Testing

struct ListDigestTests {
  private static let repository = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  private static let schema = repository.appending(path: "Schema/exchange")

  /// A line of `Schema/exchange/digest-vectors.csv`.
  struct Vector: CustomTestStringConvertible {
    let fields: [String]

    var testDescription: String { fields[0...6].joined(separator: " ") }

    var entry: Entry? {
      guard let scope = Scope(fields[0]), let status = ListStatus(word: fields[4]) else {
        return nil
      }
      return subject.map {
        Entry(
          subject: $0, scope: scope,
          entryClass: EntryClass(
            status: status,
            codes: GroundCodeSet(
              fields[6].split(separator: " ").compactMap { GroundCode(word: $0) }),
            isOverridable: fields[5] == "1"))
      }
    }

    private var subject: Subject? {
      let first = try? IMEI(signalled: fields[2])
      switch fields[1] {
      case "imei": return first.map { .imei($0) }
      case "tac": return (try? TAC(fields[2])).map { .tac($0) }
      case "range":
        guard let first, let last = try? IMEI(signalled: fields[3]) else { return nil }
        return IMEIRange(first: first, last: last).map { .range($0) }
      case "pairing":
        guard let first, let imsi = try? IMSI(fields[3]) else { return nil }
        return .pairing(Pairing(imei: first, imsi: imsi))
      default: return nil
      }
    }
  }

  static func vectors() throws -> [Vector] {
    let text = try String(
      contentsOf: schema.appending(path: "digest-vectors.csv"), encoding: .utf8)
    return text.split(separator: "\n").dropFirst().map { line in
      Vector(fields: line.split(separator: ",", omittingEmptySubsequences: false).map(String.init))
    }
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  @Test(arguments: try vectors())
  func `an entry's bytes and digest are those of the documentation`(vector: Vector) throws {
    let entry = try #require(vector.entry)
    let canonical = CanonicalEntry(scope: entry.scope, entryClass: entry.entryClass)
    #expect(Self.hexadecimal(canonical.bytes(of: entry.subject)) == vector.fields[7])
    #expect(entry.digest.description == vector.fields[8])
    let page = try String(contentsOf: Self.schema.appending(path: "digest.md"), encoding: .utf8)
    #expect(page.contains("| `\(vector.fields[7])` | `\(vector.fields[8])` |"))
  }

  @Test func `the sums are those of the documentation`() throws {
    let entries = try Self.vectors().compactMap(\.entry)
    let page = try String(contentsOf: Self.schema.appending(path: "digest.md"), encoding: .utf8)
    let red = try #require(OperatorCode("red"))
    let sums = [Scope.all, .only(red)].map { scope in
      entries.filter { $0.scope == scope }.reduce(ListDigest.zero) { $0 + $1.digest }
    }
    #expect(entries.count == 6)
    #expect(page.contains("| scope `all` | `\(sums[0])` |"))
    #expect(page.contains("| scope `red` | `\(sums[1])` |"))
    #expect(page.contains("| the feed of `red` | `\(sums[0] + sums[1])` |"))
  }

  @Test(
    .enabled("needs python3") { python() != nil },
    arguments: [UInt64(7_305)])
  func `the documented program computes the same sums`(seed: UInt64) throws {
    let python = try #require(Self.python())
    let program = Self.schema.appending(path: "digest.py").path
    let vectors = try Self.run(python, [program])
    #expect(vectors.status == 0)
    #expect(
      vectors.output.contains(
        "sum d38e9aecfce13a597369ed900aea00532f8eceb37ce8585ab76a181367b3ff90"))
    var lists = RandomLists(seed: seed, world: try SmallWorld())
    let list = lists.list(entryCount: 400)
    let file = FileManager.default.temporaryDirectory.appending(path: "digest-\(UUID()).csv")
    defer { try? FileManager.default.removeItem(at: file) }
    try Self.csv(list.entries).write(to: file, atomically: true, encoding: .utf8)
    let random = try Self.run(python, [program, file.path])
    #expect(random.status == 0)
    #expect(random.output.hasSuffix("sum \(list.digest)\n"), "seed \(seed)")
  }

  private static func csv(_ entries: [Entry]) -> String {
    let lines = entries.map { entry in
      let (kind, keys) = texts(of: entry.subject)
      let found = entry.entryClass
      let codes = found.codes.codes.map(\.description).joined(separator: " ")
      return
        "\(entry.scope),\(kind),\(keys),\(found.status),\(found.isOverridable ? 1 : 0),\(codes)\n"
    }
    return "scope,kind,first,second,status,overridable,codes\n" + lines.joined()
  }

  private static func texts(of subject: Subject) -> (kind: String, keys: String) {
    switch subject {
    case .imei(let imei): ("imei", "\(imei),")
    case .range(let range): ("range", "\(range.first),\(range.last)")
    case .tac(let tac): ("tac", "\(tac),")
    case .pairing(let pairing): ("pairing", "\(pairing.imei),\(pairing.imsi.digits)")
    }
  }

  static func python() -> String? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return path.split(separator: ":").map { "\($0)/python3" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  private static func run(_ program: String, _ arguments: [String]) throws -> (
    status: Int32, output: String
  ) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  @Test(arguments: [
    // `Schema/exchange/digest.md`, carry: by hand, one for each border between the four words.
    (0, 8), (8, 16), (16, 24), (24, 32), (0, 16), (0, 24), (0, 32), (8, 32), (3, 31),
  ])
  func `a carry runs through all words and is lost at the end`(from: Int, to: Int) throws {
    func digest(_ bytes: [Int: UInt8]) throws -> ListDigest {
      try #require(ListDigest(Self.hexadecimal((0..<32).map { bytes[$0] ?? 0 })))
    }
    let ones = try digest(Dictionary(uniqueKeysWithValues: (from..<to).map { ($0, 0xFF) }))
    let sum = try digest(to < 32 ? [to: 1] : [:])
    #expect(ones + (try digest([from: 1])) == sum)
    #expect(sum - (try digest([from: 1])) == ones)
    #expect(ListDigest.zero - ones + ones == .zero)
  }

  @Test(arguments: [UInt64(7_306)])
  func `sums obey the laws of addition`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    func random() -> ListDigest {
      let bytes = (0..<32).map { _ -> UInt8 in
        generator.one(in: 2) ? 0xFF : UInt8.random(in: 0...255, using: &generator)
      }
      return bytes.withUnsafeBytes { ListDigest(littleEndian: $0) }
    }
    for _ in 0..<10_000 {
      let (one, two, three) = (random(), random(), random())
      #expect(one + two == two + one && (one + two) + three == one + (two + three))
      #expect(one + .zero == one && one - one == .zero && one + two - two == one)
      #expect(ListDigest.zero - (one - two) == two - one)
      var changed = one
      changed += two
      changed -= three
      #expect(changed == one + two - three)
      #expect(ListDigest(one.description) == one)
      #expect(one.bytes.withUnsafeBytes { ListDigest(littleEndian: $0) } == one)
      #expect(one == two || one.hashValue != two.hashValue || one.bytes[..<8] == two.bytes[..<8])
    }
  }

  @Test(arguments: [
    // Too short, too long, upper case, a sign, a letter beyond f, another script.
    "", String(repeating: "0", count: 63), String(repeating: "0", count: 65),
    String(repeating: "F", count: 64), "+" + String(repeating: "0", count: 63),
    String(repeating: "0", count: 63) + "g", String(repeating: "０", count: 21) + "0",
  ])
  func `only 64 hexadecimal digits are a digest`(text: String) {
    #expect(ListDigest(text) == nil)
  }

  @Test(arguments: [UInt64(7_307)])
  func `the digest of a list depends on its entries alone`(seed: UInt64) throws {
    var lists = RandomLists(seed: seed, world: try SmallWorld())
    for _ in 0..<50 {
      var list = lists.list(entryCount: 0)
      var followed = ListDigest.zero
      for number in UInt64(1)...60 {
        let change = lists.change(at: Position(number), removals: 3)
        let before = list.entries.first {
          $0.subject == change.subject && $0.scope == change.scope
        }
        if let before { followed -= before.digest }
        list.apply(change)
        if let entryClass = change.entryClass {
          followed +=
            Entry(subject: change.subject, scope: change.scope, entryClass: entryClass).digest
        }
        #expect(list.head.digest == followed, "seed \(seed)")
      }
      let shuffled = list.entries.shuffled(using: &lists.generator)
      #expect(NaiveList(head: list.head, entries: shuffled).digest == followed)
    }
  }

  @Test func `entries that differ in one field differ in their bytes`() throws {
    var lists = RandomLists(seed: 7_308, world: try SmallWorld())
    var seen: [[UInt8]: Entry] = [:]
    for _ in 0..<5_000 {
      let scope: Scope = lists.generator.one(in: 2) ? .all : .only(lists.world.ownOperator)
      let entry = Entry(subject: lists.subject(), scope: scope, entryClass: lists.entryClass())
      let bytes = CanonicalEntry(scope: scope, entryClass: entry.entryClass).bytes(
        of: entry.subject)
      #expect(seen.updateValue(entry, forKey: bytes) ?? entry == entry)
    }
    #expect(Set(seen.values).count == seen.count)
  }

  @Test func `the bytes of one class serve many subjects`() throws {
    var lists = RandomLists(seed: 7_309, world: try SmallWorld())
    let entryClass = lists.entryClass()
    var canonical = CanonicalEntry(scope: .all, entryClass: entryClass)
    for _ in 0..<200 {
      let subject = lists.subject()
      let alone = Entry(subject: subject, scope: .all, entryClass: entryClass)
      #expect(canonical.digest(of: subject) == alone.digest)
    }
  }
}

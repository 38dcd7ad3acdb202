import DeviceIdentity
import DeviceLists
import Fuzzing
import Glibc
import Testing

@testable import ListIndex

/// List directories as inputs.
enum FuzzLists {
  private static let registry = RegistryName("test-registry")!
  private static let content = IndexContent.feed(Feed(of: OperatorCode("op1")!))
  private static let epoch = Epoch(high: 1, low: 2)
  private static let now = Instant(secondsSinceEpoch: 1_800_000_000)
  private static let black = EntryClass(
    status: .black, codes: GroundCodeSet(.stolen), isOverridable: false)
  private static let white = EntryClass(status: .white, codes: GroundCodeSet(.released))
  private static let grey = EntryClass(status: .grey, codes: GroundCodeSet(.duplicate))

  static func seeds() throws -> [(name: String, bytes: [UInt8])] {
    let folder = try folder()
    defer { remove(folder) }
    try writeIndex(subjects, to: folder + "/first")
    let list = try ListIndex(directory: folder, registry: registry, content: content)
    try list.install(snapshotFile: folder + "/first")
    let index = try read(folder + "/1.index")
    // One by one: together they would be written in the order of a hash table.
    for (subject, _) in subjects { try list.hold([(subject, HeldSpan(at: Position(8)))]) }
    try list.unhold([subjects[1].0])
    try list.apply(
      Delta(
        epoch: epoch, after: Position(7), upTo: Position(12), issuedAt: now, digest: nil,
        changes: changes))
    try list.adopt(
      Epoch(high: 3, low: 4), digest: try #require(list.current).head.digest, issuedAt: now)
    let (log, held) = (try read(folder + "/1.log"), try read(folder + "/held"))
    try writeIndex([], to: folder + "/empty")
    let empty = try read(folder + "/empty")
    return [
      ("index", ListInput.encoded(index: index)),
      ("directory", ListInput.encoded(index: index, log: log, held: held)),
      ("empty", ListInput.encoded(index: empty, log: log)),
      ("bitmap", try bitmap(folder)),
    ]
  }

  private static let subjects: [(Subject, ListedClass)] = {
    let device = IMEI(unchecked: 35_111_111_000_001)
    let subscriber = IMSI(packed: 15_262_010_000_000_001)!
    let range = IMEIRange(first: device, last: IMEI(unchecked: 35_111_111_000_900))!
    return [
      (.imei(device), ListedClass(all: black)),
      (.imei(IMEI(unchecked: 35_111_111_070_000)), ListedClass(all: grey, own: white)),
      (.range(range), ListedClass(all: grey)),
      (.tac(TAC(number: 35_111_111)!), ListedClass(own: grey)),
      (.pairing(Pairing(imei: device, imsi: subscriber)), ListedClass(all: white)),
    ]
  }()

  private static let changes = subjects.enumerated().map { number, item in
    Change(
      position: Position(8 + UInt64(number)), subject: item.0, scope: .all,
      entryClass: number % 2 == 0 ? nil : black)
  }

  private static func writeIndex(
    _ subjects: [(Subject, ListedClass)], to path: String
  ) throws {
    let writer = try IndexFileWriter(path: path)
    for (subject, listed) in subjects { try writer.append(subject, listed) }
    var digests = ScopeDigests()
    var digesters = PartDigesters(content)
    for (subject, listed) in subjects { digesters.add(listed, for: subject, to: &digests) }
    _ = try writer.finish(
      head: IndexHead(
        registry: registry, content: content, epoch: epoch, position: Position(7),
        digests: digests, issuedAt: now))
  }

  /// A bitmap of which the second line is kept and repeated: all of its serials were listed, and
  /// now none is but those of the first line.
  private static func bitmap(_ folder: String) throws -> [UInt8] {
    let path = folder + "/bitmap"
    let writer = try IndexFileWriter(path: path)
    for serial in 0..<UInt64(IndexLayout.serialsPerTAC) {
      try writer.append(
        .imei(IMEI(unchecked: 35_111_112_000_000 + serial)), ListedClass(all: black))
    }
    _ = try writer.finish(
      head: IndexHead(
        registry: registry, content: content, epoch: epoch, position: Position(7),
        digests: ScopeDigests(), issuedAt: now))
    var index = try read(path)
    let second = IndexLayout.headerByteCount + IndexLayout.lineByteCount
    let third = second + IndexLayout.lineByteCount
    for place in second..<third { index[place] = 0 }
    let repetitions = IndexLayout.linesPerBitmap - 2
    index.removeSubrange(third..<third + repetitions * IndexLayout.lineByteCount)
    return ListInput.encoded(index: index, repeatsAt: third, times: repetitions)
  }

  private static func folder() throws -> String {
    var name = Array(("/tmp/fuzz-seeds-" + String(repeating: "X", count: 6)).utf8CString)
    try #require(mkdtemp(&name) != nil)
    return String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func read(_ path: String) throws -> [UInt8] {
    try MappedFile(path: path).withBytes { Array($0) }
  }

  private static func remove(_ path: String) {
    for name in (try? FileSystem.names(in: path)) ?? [] { unlink(path + "/" + name) }
    rmdir(path)
  }
}

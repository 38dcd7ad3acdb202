import DeviceIdentity
import DeviceLists
import Glibc
import ListIndex

/// Opens the directory, asks every question, moves the list on and opens it once more.
enum ListEntry {
  /// More entries than this are not walked over: a few bytes can stand for a million.
  private static let mostEntries = 2_000
  /// Subjects that are asked about and changed.
  private static let mostSubjects = 16

  static func run(_ input: [UInt8]) -> Bool {
    guard let files = ListInput(input), let folder = Folder() else { return false }
    defer { folder.remove() }
    folder.write(files.index, to: "1.index")
    if !files.log.isEmpty { folder.write(files.log, to: "1.log") }
    if !files.held.isEmpty { folder.write(files.held, to: "held") }
    guard let snapshot = try? ListSnapshot(file: folder.path + "/1.index", verify: true) else {
      return false
    }
    let head = snapshot.indexHead
    _ = ask(snapshot)
    var isOpen = open(folder.path, head) { list in
      guard let before = list.current else { return }
      let (subjects, isWhole) = ask(before)
      change(list, subjects)
      if isWhole { try? list.compact() }
      if let after = list.current { _ = ask(after) }
    }
    isOpen = open(folder.path, head) { list in list.current.map { _ = ask($0) } } && isOpen
    return isOpen
  }

  /// Whether there was a list.
  private static func open(
    _ path: String, _ head: IndexHead, _ body: (ListIndex) -> Void
  ) -> Bool {
    guard
      let list = try? ListIndex(directory: path, registry: head.registry, content: head.content)
    else { return false }
    for notice in list.notices { precondition(!notice.description.isEmpty) }
    body(list)
    return list.current != nil
  }

  /// The first subjects, and whether the list has no more than are walked over.
  private static func ask(_ snapshot: ListSnapshot) -> (subjects: [Subject], isWhole: Bool) {
    var subjects = probes
    var cursor = snapshot.entries()
    var count = 0
    while count < mostEntries, let entry = cursor.next() {
      count += 1
      if subjects.count < mostSubjects { subjects.append(entry.subject) }
    }
    for subject in subjects { ask(snapshot, subject) }
    let isWhole = count < mostEntries
    if isWhole { _ = snapshot.recomputedDigests() }
    snapshot.held.visit { subject, _ in ask(snapshot, subject) }
    return (subjects, isWhole)
  }

  private static func ask(_ snapshot: ListSnapshot, _ subject: Subject) {
    _ = snapshot.listed(subject)
    switch subject {
    case .imei(let imei): ask(snapshot, imei)
    case .tac(let tac): _ = snapshot.entry(of: tac)
    case .range(let range):
      ask(snapshot, range.first)
      ask(snapshot, range.last)
    case .pairing(let pairing):
      _ = snapshot.entry(of: pairing)
      ask(snapshot, pairing.imei)
    }
  }

  private static func ask(_ snapshot: ListSnapshot, _ imei: IMEI) {
    _ = snapshot.entry(of: imei)
    _ = snapshot.entry(of: imei.tac)
    _ = snapshot.rangeEntry(containing: imei)
    _ = snapshot.hasException(imei)
    _ = snapshot.exceptions(of: imei)
  }

  /// Each subject leaves the list or comes onto it; some are held before.
  private static func change(_ list: ListIndex, _ subjects: [Subject]) {
    guard let head = list.current?.indexHead else { return }
    try? list.hold(subjects.prefix(6).map { ($0, HeldSpan.unknown) })
    let scope: Scope = if case .scope(let only) = head.content { only } else { .all }
    let black = EntryClass(status: .black, codes: GroundCodeSet(.stolen), isOverridable: false)
    let changes = subjects.enumerated().map { number, subject in
      Change(
        position: Position(head.position.number + UInt64(number) + 1), subject: subject,
        scope: scope, entryClass: number % 2 == 0 ? black : nil)
    }
    let delta = Delta(
      epoch: head.epoch, after: head.position,
      upTo: Position(head.position.number + UInt64(changes.count)), issuedAt: head.issuedAt,
      digest: nil, changes: changes)
    _ = try? list.apply(delta)
    try? list.unhold(Array(subjects.prefix(2)))
    try? list.forgetHeldSpans()
  }

  /// Asked about whatever the list has.
  private static let probes: [Subject] = [
    .imei(IMEI(unchecked: 35_111_111_000_001)), .imei(IMEI(unchecked: 99_999_999_999_999)),
    .imei(IMEI(unchecked: 0)),
  ]
}

/// A directory of its own for each input.
private struct Folder {
  let path: String

  init?() {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var name = Array((parent + "/fuzz-list-" + String(repeating: "X", count: 6)).utf8CString)
    guard mkdtemp(&name) != nil else { return nil }
    path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  func write(_ bytes: [UInt8], to name: String) {
    guard let file = fopen(path + "/" + name, "w") else {
      preconditionFailure("a file cannot be made in \(path)")
    }
    defer { fclose(file) }
    precondition(fwrite(bytes, 1, bytes.count, file) == bytes.count, "the disk is full")
  }

  func remove() {
    guard let stream = opendir(path) else { return }
    while let item = readdir(stream) {
      let name = withUnsafeBytes(of: item.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { unlink(path + "/" + name) }
    }
    closedir(stream)
    rmdir(path)
  }
}

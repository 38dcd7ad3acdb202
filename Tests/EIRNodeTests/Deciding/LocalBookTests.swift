import DeviceIdentity
import DeviceLists
import Foundation
import Simulation
import Testing

@testable import EIRNode

/// The file of local entries.
struct LocalBookTests {
  private static let now = Instant("2026-11-23T06:23:17Z")!
  private static let author = LocalAuthor(by: "anna", account: "anna/1000", reason: "a test")

  private static func order(_ subject: String, svn: String? = nil) -> LocalOrder {
    LocalOrder(subject: subject, svn: svn, author: author)
  }

  @Test func `a file cut off anywhere has the whole lines and goes on`() throws {
    let scratch = try Scratch()
    var book = try LocalBook(directory: scratch.path)
    _ = try book.add(Self.order("49015420"), asOf: Self.now)
    _ = try book.add(Self.order("49015420323751", svn: "07"), asOf: Self.now)
    _ = try book.end("L1", Self.author, asOf: Self.now)
    _ = try book.add(Self.order("35209900000000-35209900000009"), asOf: Self.now)
    let whole = try Data(contentsOf: URL(fileURLWithPath: book.path))
    var states: [[LocalEntry]] = []
    for byteCount in 0...whole.count {
      let kept = whole.prefix(byteCount)
      try kept.write(to: URL(fileURLWithPath: book.path))
      var cut = try LocalBook(directory: scratch.path)
      let lineCount = kept.count { $0 == 0x0A }
      // What is ended stays so: the end of the line says nothing more. What is added does not count
      // without it.
      let isEnded = lineCount == 2 && kept.last == UInt8(ascii: "}") && whole[byteCount] == 0x0A
      #expect(cut.entries.count == [0, 1, 2, 2, 3][lineCount])
      #expect(cut.inForceCount == (isEnded ? 1 : [0, 1, 2, 1, 2][lineCount]))
      if states.last != cut.entries { states.append(cut.entries) }
      #expect(cut.damagedLines == 0)
      let added = try cut.add(Self.order("01234567"), asOf: Self.now)
      #expect(added.id == LocalID(number: cut.entries.count))
      #expect(try LocalBook(directory: scratch.path).entries == cut.entries)
    }
    #expect(states.count == 5)
  }

  @Test func `a damaged line counts for nothing and hides no other`() throws {
    let scratch = try Scratch()
    var book = try LocalBook(directory: scratch.path)
    for number in 0..<4 {
      _ = try book.add(Self.order("4901542\(number)"), asOf: Self.now)
    }
    var lines = try String(contentsOfFile: book.path, encoding: .utf8)
      .split(separator: "\n").map(String.init)
    lines[1] = lines[1].replacingOccurrences(of: "49015421", with: "490154x1")
    lines.append(lines[2])
    lines.append(#"{"ended":{"id":"L9","note":{"at":"x","by":"x","reason":"x"}}}"#)
    try (lines.joined(separator: "\n") + "\n").write(
      toFile: book.path, atomically: true, encoding: .utf8)
    var opened = try LocalBook(directory: scratch.path)
    #expect(opened.damagedLines == 3)
    #expect(opened.entries.map { "\($0.subject)" } == ["49015420", "49015422", "49015423"])
    #expect(opened.entries.allSatisfy { $0.suspended == true } && opened.blacks.isEmpty)
    #expect(try opened.add(Self.order("49015421"), asOf: Self.now).id?.number == 5)
    #expect(try LocalBook(directory: scratch.path).entries.count == 4)
    #expect(try LocalBook(directory: scratch.path).inForceCount == 1)
  }

  @Test func `what a damaged line may have ended is suspended until a person says`() throws {
    let scratch = try Scratch()
    var book = try LocalBook(directory: scratch.path)
    for subject in ["35207777", "49015420", "49015421"] {
      _ = try book.add(Self.order(subject), asOf: Self.now)
    }
    _ = try book.end("35207777", Self.author, asOf: Self.now)
    _ = try book.add(Self.order("49015422"), asOf: Self.now)
    let text = try String(contentsOfFile: book.path, encoding: .utf8)
    try text.replacingOccurrences(of: #"{"ended":{"id""#, with: #"{"endex":{"id""#).write(
      toFile: book.path, atomically: true, encoding: .utf8)

    var opened = try LocalBook(directory: scratch.path)
    #expect(opened.damagedLines == 1 && opened.suspendedCount == 3 && opened.inForceCount == 1)
    #expect(opened.blacks.map { "\(LocalSubject($0.range))" } == ["49015422"])
    #expect(opened.entries.map(\.suspended) == [true, true, true, nil])
    #expect(opened.entries[0].line.hasSuffix("  (suspended)"))
    // Ended, added again, and left as it is.
    #expect(try opened.end("35207777", Self.author, asOf: Self.now).map(\.suspended) == [nil])
    #expect(try opened.add(Self.order("49015420"), asOf: Self.now).id?.number == 5)
    for state in [opened, try LocalBook(directory: scratch.path)] {
      #expect(state.suspendedCount == 1 && state.inForceCount == 2 && state.damagedLines == 1)
      #expect(
        Set(state.blacks.map { "\(LocalSubject($0.range))" }) == ["49015420", "49015422"])
      #expect(state.entries == opened.entries)
      #expect(state.entries[0].ended?.reason == "a test")
      #expect(state.entries[1].ended?.reason == "added again as L5")
      #expect(state.entries.map(\.suspended) == [nil, nil, true, nil, nil])
    }
    #expect(throws: NodeError.self) { try opened.add(Self.order("49015420"), asOf: Self.now) }
  }

  @Test func `no changed bit makes a device black that was not`() throws {
    let scratch = try Scratch()
    var book = try LocalBook(directory: scratch.path)
    for subject in ["35207777", "49015420", "49015421000000-49015421000009"] {
      _ = try book.add(Self.order(subject, svn: "07"), asOf: Self.now)
    }
    _ = try book.end("35207777", Self.author, asOf: Self.now)
    let (blacks, file) = (Set(book.blacks), URL(fileURLWithPath: book.path))
    let whole = try Data(contentsOf: file)
    for place in whole.indices {
      for bit in 0..<8 {
        var changed = whole
        changed[place] ^= 1 << bit
        try changed.write(to: file)
        let opened = try LocalBook(directory: scratch.path)
        #expect(blacks.isSuperset(of: opened.blacks), "bit \(bit) of byte \(place)")
      }
    }
  }

  @Test func `a damaged sum is no line that was written without one`() throws {
    let scratch = try Scratch()
    var book = try LocalBook(directory: scratch.path)
    _ = try book.add(Self.order("49015420"), asOf: Self.now)
    let text = try String(contentsOfFile: book.path, encoding: .utf8)
    for mark in [#","sum":""#, #","sun":""#, #", "sum":""#] {
      let damaged = text.replacingOccurrences(of: "49015420", with: "49015421")
        .replacingOccurrences(of: #","sum":""#, with: mark)
      try damaged.write(toFile: book.path, atomically: true, encoding: .utf8)
      let opened = try LocalBook(directory: scratch.path)
      #expect(opened.blacks.isEmpty && opened.damagedLines == 1, "\(mark)")
    }
  }

  /// What a disk can make of the last block of a file, and no crash of one line.
  @Test(arguments: ["zeros", "other text", "a line and more", "too long"])
  func `an end that no crash leaves suspends what it may have ended, for ever`(
    kind: String
  ) throws {
    let scratch = try Scratch()
    var book = try LocalBook(directory: scratch.path)
    for subject in ["35207777", "49015420"] {
      _ = try book.add(Self.order(subject), asOf: Self.now)
    }
    let file = URL(fileURLWithPath: book.path)
    let added = try Data(contentsOf: file)
    _ = try book.end("35207777", Self.author, asOf: Self.now)
    let ended = try Data(contentsOf: file)[added.count...]
    let end: Data =
      switch kind {
      case "zeros": Data(count: ended.count)
      case "other text": Data("Dear customer".utf8)
      case "a line and more": ended.dropLast() + Data("j".utf8)
      default: ended.prefix(30) + Data(repeating: 0x41, count: LocalBook.longestLineBytes)
      }
    try (added + end).write(to: file)
    var opened = try LocalBook(directory: scratch.path)
    #expect(opened.damagedLines == 1 && opened.suspendedCount == 2 && opened.blacks.isEmpty)
    // What follows counts, and the damage is not forgotten.
    #expect(try opened.add(Self.order("49015422"), asOf: Self.now).id?.number == 3)
    let again = try LocalBook(directory: scratch.path)
    #expect(again.entries == opened.entries)
    #expect(again.damagedLines == 1 && again.suspendedCount == 2)
    #expect(again.blacks.map { "\(LocalSubject($0.range))" } == ["49015422"])
  }

  /// As lines were once written.
  private static func withoutSum(_ lines: String) -> String {
    lines.replacing(/,"sum":"[0-9a-f]{16}"/, with: "")
  }

  @Test func `lines without a sum count`() throws {
    let scratch = try Scratch()
    var book = try LocalBook(directory: scratch.path)
    _ = try book.add(Self.order("49015420"), asOf: Self.now)
    _ = try book.add(Self.order("49015421"), asOf: Self.now)
    _ = try book.end("L1", Self.author, asOf: Self.now)
    let text = try String(contentsOfFile: book.path, encoding: .utf8)
    #expect(Self.withoutSum(text) != text)
    try Self.withoutSum(text).write(toFile: book.path, atomically: true, encoding: .utf8)
    let opened = try LocalBook(directory: scratch.path)
    #expect(opened.entries == book.entries && opened.damagedLines == 0)
  }

  @Test func `a range wider than a TAC is said twice`() throws {
    let scratch = try Scratch()
    var book = try LocalBook(directory: scratch.path)
    func order(_ subject: String, wide: Bool?) -> LocalOrder {
      LocalOrder(subject: subject, svn: "07", wide: wide, author: Self.author)
    }
    // A million devices across two TACs, and one more.
    let (million, more) = ("35207777500000-35207778499999", "35207777500000-35207778500000")
    #expect(try book.add(order(million, wide: nil), asOf: Self.now).id?.number == 1)
    for wide in [nil, false] {
      let error = #expect(throws: NodeError.self) {
        try book.add(order(more, wide: wide), asOf: Self.now)
      }
      #expect(error?.code == .settings && error?.description.contains("1000001 devices") == true)
    }
    let all = "00000000000000-99999999999999"
    let error = #expect(throws: NodeError.self) {
      try book.add(order(all, wide: nil), asOf: Self.now)
    }
    #expect(error?.description.contains("make 100000000000000 devices black") == true)
    #expect(try book.add(order(all, wide: true), asOf: Self.now).id?.number == 2)
    #expect(try LocalBook(directory: scratch.path).inForceCount == 2)
  }

  @Test func `beyond the limit nothing is added, and ending makes room`() throws {
    let scratch = try Scratch()
    var book = try LocalBook(directory: scratch.path)
    _ = try book.add(Self.order("00000000"), asOf: Self.now)
    let text = try String(contentsOfFile: book.path, encoding: .utf8)
    let line = Self.withoutSum(text)
    let lines = (1..<LocalBook.mostInForce).map { number in
      let digits = String(repeating: "0", count: 8 - String(number).count) + String(number)
      return line.replacingOccurrences(of: #""L1""#, with: #""L\#(number + 1)""#)
        .replacingOccurrences(of: #""00000000""#, with: #""\#(digits)""#)
    }
    try (line + lines.joined()).write(toFile: book.path, atomically: true, encoding: .utf8)
    book = try LocalBook(directory: scratch.path)
    #expect(book.inForceCount == LocalBook.mostInForce && book.damagedLines == 0)
    #expect(throws: NodeError.self) { try book.add(Self.order("99999999"), asOf: Self.now) }
    #expect(try book.end("00000007", Self.author, asOf: Self.now).count == 1)
    #expect(try book.add(Self.order("99999999"), asOf: Self.now).id?.number == 20_001)
    // No order is longer than what is kept free for it.
    let longest = LocalAuthor(
      by: String(repeating: "\"", count: LocalNote.longestName),
      account: String(repeating: "\"", count: LocalNote.longestName),
      reason: String(repeating: "\"", count: LocalNote.longestReason))
    let before = try Data(contentsOf: URL(fileURLWithPath: book.path)).count
    _ = try book.end("L20001", longest, asOf: Self.now)
    let after = try Data(contentsOf: URL(fileURLWithPath: book.path)).count
    #expect(after - before <= LocalBook.longestEndBytes)
  }

  @Test(arguments: ["shortened", "longer", "removed", "made", "replaced", "overwritten"])
  func `a file that another program has changed is not written to`(change: String) throws {
    let scratch = try Scratch()
    var book = try LocalBook(directory: scratch.path)
    if change != "made" { _ = try book.add(Self.order("49015420"), asOf: Self.now) }
    let file = URL(fileURLWithPath: book.path)
    let before = change == "made" ? Data() : try Data(contentsOf: file)
    let other = Data(
      String(decoding: before, as: UTF8.self).replacing("49015420", with: "49015429").utf8)
    let attributes = try? FileManager.default.attributesOfItem(atPath: book.path)
    let written = attributes?[.modificationDate] as? Date ?? .now
    let after: Data? =
      [
        "shortened": Data(), "longer": before + Data("{}\n".utf8), "made": Data("{}\n".utf8),
        "replaced": other, "overwritten": other,
      ][change]
    if change == "replaced" || change == "overwritten" {
      // Of the same size: another file in its place, and other bytes in the same file.
      let isAtomic = change == "replaced"
      try other.write(to: file, options: isAtomic ? .atomic : [])
      let moment = isAtomic ? written : .now.addingTimeInterval(-60)
      try FileManager.default.setAttributes(
        [.modificationDate: moment], ofItemAtPath: book.path)
    } else if let after {
      try after.write(to: file)
    } else {
      try FileManager.default.removeItem(at: file)
    }
    for _ in 0..<2 {
      let error = #expect(throws: NodeError.self) {
        try book.add(Self.order("49015421"), asOf: Self.now)
      }
      #expect(error?.description == "another program has changed \(book.path): restart the node")
    }
    #expect((try? Data(contentsOf: file)) == after)
    #expect(book.inForceCount == (change == "made" ? 0 : 1))
  }

  @Test(arguments: [
    ("49015420", nil, "a test", true), ("49-015420-323751-8", "00", "a test", true),
    ("49015420323751", "00-99", "a test", true),
    ("49015420323751-49015420323752", nil, "a test", true),
    // A wrong check digit; 16 digits; ends the wrong way round; of other lengths; no digits.
    ("490154203237517", nil, "a test", false), ("4901542032375107", nil, "a test", false),
    ("49015420323752-49015420323751", nil, "a test", false),
    ("49015420-49015421", nil, "a test", false), ("", nil, "a test", false),
    ("4901542x", nil, "a test", false),
    ("49015420", "7", "a test", false), ("49015420", "07-", "a test", false),
    ("49015420", "09-07", "a test", false), ("49015420", "100", "a test", false),
    ("49015420", nil, "", false), ("49015420", nil, "two\nlines", false),
    ("49015420", nil, String(repeating: "x", count: 513), false),
    // Right-to-left override, zero-width space, line and paragraph separator, C1 control.
    ("49015420", nil, "a\u{202E}b", false), ("49015420", nil, "a\u{200B}b", false),
    ("49015420", nil, "a\u{2028}b", false), ("49015420", nil, "a\u{2029}b", false),
    // The joiners of Persian and of the scripts of India.
    ("49015420", nil, "می\u{200C}خواهم", true), ("49015420", nil, "क्\u{200D}ष", true),
    ("49015420", nil, "a\u{85}b", false), ("49015420", nil, "naïve, 未払い, عقد", true),
  ])
  func `an order is checked before it is written`(
    subject: String, svn: String?, reason: String, isRight: Bool
  ) throws {
    let scratch = try Scratch()
    var book = try LocalBook(directory: scratch.path)
    let order = LocalOrder(
      subject: subject, svn: svn, author: LocalAuthor(by: "anna", reason: reason))
    let entry = try? book.add(order, asOf: Self.now)
    #expect((entry != nil) == isRight)
    #expect(FileManager.default.fileExists(atPath: book.path) == isRight)
  }

  @Test(arguments: ["\u{202E}anna", "an\u{2028}na", "\u{FEFF}anna"])
  func `names and cases hide nothing`(text: String) throws {
    let scratch = try Scratch()
    var book = try LocalBook(directory: scratch.path)
    for order in [
      LocalOrder(subject: "49015420", author: LocalAuthor(by: text, reason: "a test")),
      LocalOrder(subject: "49015420", caseReference: text, author: Self.author),
      LocalOrder(
        subject: "49015420", author: LocalAuthor(by: "anna", account: text, reason: "a test")),
    ] {
      #expect(throws: NodeError.self) { try book.add(order, asOf: Self.now) }
    }
    #expect(book.entries.isEmpty)
  }

  @Test func `what is ended or added again keeps its history`() throws {
    let scratch = try Scratch()
    var book = try LocalBook(directory: scratch.path)
    for _ in 0..<3 {
      _ = try book.add(Self.order("49015420"), asOf: Self.now)
      _ = try book.end("49015420", Self.author, asOf: Self.now.adding(seconds: 5))
    }
    let opened = try LocalBook(directory: scratch.path)
    #expect(opened.entries == book.entries && opened.inForceCount == 0)
    #expect(opened.entries.map(\.ended?.at) == .init(repeating: "2026-11-23T06:23:22Z", count: 3))
    #expect(opened.blacks.isEmpty)
  }
}

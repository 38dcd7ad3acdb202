import DeviceIdentity
import DeviceLists
import Foundation
import Logging
import NIOPosix
import Simulation
import Testing

@testable import EIRNode

/// What is known of subscribers' devices, in memory and on disk.
struct KnownDeviceTests {
  private static func known(_ subscriber: UInt64, _ device: UInt64, day: Int64 = 20_000)
    -> KnownDevice
  {
    KnownDevice(
      IMSI(packed: 15_001_010_000_000_000 + subscriber)!,
      IMEI(number: 35_000_000_000_000 + device)!, day: day)
  }

  private static func query(_ subscriber: UInt64?, _ device: UInt64) -> CheckQuery {
    CheckQuery(
      identity: .device(
        IMEISV(imei: IMEI(number: 35_000_000_000_000 + device)!, softwareVersion: 7)),
      imsi: subscriber.flatMap { IMSI(packed: 15_001_010_000_000_000 + $0) })
  }

  private static let now = Instant("2026-11-28T23:59:58Z")!

  @Test func `the table answers as a dictionary does, whatever comes in whatever order`() {
    let seed: UInt64 = .random(in: 0...1_000_000)
    print("seed \(seed)")
    var chance = SeededGenerator(seed: seed)
    var table = KnownDeviceTable(most: 1_000_000)
    var model: [UInt64: KnownDevice] = [:]
    var day: Int64 = 20_000
    for step in 0..<60_000 {
      // Numbers that follow one another, and repeat.
      let seen = Self.known(
        .random(in: 0..<4_000, using: &chance), .random(in: 0..<3, using: &chance), day: day)
      let before = model[seen.subscriber]
      let expected: KnownDeviceTable.Seen =
        if let before {
          before.imei != seen.imei
            ? .changed(from: before.imei) : before.day < seen.day ? .onAnotherDay : .again
        } else { .first }
      guard table.see(seen) == expected else {
        Issue.record("step \(step) of seed \(seed)")
        return
      }
      model[seen.subscriber] = seen
      if step % 3_000 == 2_999 {
        day += 1
        let old = model.values.filter { $0.day < day - 2 }
        for known in old { model[known.subscriber] = nil }
        #expect(table.forget(notSeenSince: day - 2) == old.count)
        #expect(Set(table.all) == Set(model.values))
        #expect(table.count == model.count)
      }
    }
    #expect(table.displacedCount == 0)
  }

  @Test func `a full table stays full, finds everyone who is in it, and lets go the old first`() {
    let seed: UInt64 = .random(in: 0...1_000_000)
    print("seed \(seed)")
    var chance = SeededGenerator(seed: seed)
    var table = KnownDeviceTable(most: 3_000)
    for number in 0..<1_500 { _ = table.see(Self.known(UInt64(number), 1, day: 10)) }
    var newcomers: UInt64 = 100_000
    for _ in 0..<2_500 {
      newcomers += .random(in: 1...1_000, using: &chance)
      _ = table.see(Self.known(newcomers, 1, day: 20))
      if table.count == 3_000 {
        for known in table.all.prefix(20) { #expect(table.see(known) == .again) }
      }
    }
    #expect(table.count == 3_000)
    #expect(table.displacedCount == 1_000)
    // Some are compared, not all: few of the new ones had to go. By chance it were some 600.
    #expect(table.all.count { $0.day == 20 } > 2_250)
    #expect(table.placeCount == 4_096)
  }

  @Test func `a change is an event each time, the first device only where it is wanted`() {
    for tellsFirst in [false, true] {
      let memory = DeviceMemory(mostSubscribers: 1_000, tellsFirst: tellsFirst)
      for (subscriber, device) in [(1, 1), (1, 1), (2, 1), (1, 2), (1, 1), (nil, 9)]
        as [(UInt64?, UInt64)]
      {
        memory.note(Self.query(subscriber, device), .grey, from: .s13, asOf: Self.now)
      }
      memory.note(
        CheckQuery(
          identity: .unusable(UnusableIdentity("*#06#")),
          imsi: IMSI(packed: 15_001_010_000_000_001)), .grey, from: .n17, asOf: Self.now)
      let events = memory.oldest(100)
      let changes: [UInt64?] = [35_000_000_000_001, 35_000_000_000_002]
      #expect(events.map(\.previous?.number) == (tellsFirst ? [nil, nil] : []) + changes)
      #expect(
        events.last?.line
          == """
          {"type":"deviceChanged","at":"2026-11-28T23:59:58Z","imsi":"001010000000001",\
          "imei":"35000000000001","previousImei":"35000000000002","softwareVersion":"07",\
          "interface":"s13","answer":"grey"}

          """)
      #expect("\(events)".contains("00101") == false)
      #expect(memory.subscriberCount == 2)
    }
  }

  @Test func `events beyond the room in memory are counted, and what is known stays right`() {
    let memory = DeviceMemory(mostSubscribers: 5_000_000, tellsFirst: true)
    let most = UInt64(DeviceMemory.mostPending)
    for number in 0..<most + 10 {
      memory.note(Self.query(number, 1), .white, from: .n17, asOf: Self.now)
    }
    #expect(memory.counts == .init(made: Int(most) + 10, dropped: 10))
    #expect(memory.subscriberCount == Int(most) + 10)
    memory.wrote(Int(most))
    memory.note(Self.query(0, 2), .white, from: .n17, asOf: Self.now)
    #expect(memory.oldest(9).map(\.previous?.number) == [35_000_000_000_001])
  }

  @Test func `more records than have room are written as a whole table`() {
    let memory = DeviceMemory(mostSubscribers: 1_000, tellsFirst: false)
    for number in 0..<DeviceMemory.mostUnwritten + 1 {
      memory.note(Self.query(1, UInt64(number % 2)), .white, from: .n17, asOf: Self.now)
    }
    #expect(memory.takeUnwritten() == nil)
    #expect(memory.takeUnwritten() == [])
  }

  // MARK: On disk

  private static func withEvents(_ body: (DeviceEvents, String) throws -> Void) async throws {
    let scratch = try Scratch()
    let threads = NIOThreadPool(numberOfThreads: 1)
    threads.start()
    var settings = EventsSettings(url: "http://127.0.0.1:1/")
    settings.subscribersMax = 1_000
    let events = try DeviceEvents(
      settings, directory: scratch.path, threads: threads, logger: Logger(label: "test"))
    try body(events, scratch.path + "/devices.known")
    try await threads.shutdownGracefully()
  }

  private static func records(_ path: String) throws -> Int {
    try Data(contentsOf: URL(fileURLWithPath: path)).count / 16 - 1
  }

  @Test func `the file is written anew when most of it is old`() async throws {
    try await Self.withEvents { events, path in
      // A record for each day, of which only the last of a subscriber counts.
      let subscribers = UInt64(6)
      _ = try events.write(asOf: Self.now)
      for (first, records) in [(0, 600_000), (subscribers, Int(2 * subscribers))] {
        for subscriber in first..<first + subscribers {
          for day in 0..<Int64(100_000) {
            events.memory.note(
              Self.query(subscriber, 1), .white, from: .n17,
              asOf: Self.now.adding(seconds: day * 86_400))
          }
        }
        _ = try events.write(asOf: Self.now)
        #expect(try Self.records(path) == records)
      }
      #expect(Set(try Self.reading(path).found.map(\.subscriber)).count == 12)
    }
  }

  @Test func `who was not seen for long is forgotten, on disk too`() async throws {
    try await Self.withEvents { events, path in
      let later = Self.now.adding(seconds: 100 * 86_400)
      events.memory.note(Self.query(1, 1), .white, from: .n17, asOf: Self.now)
      events.memory.note(Self.query(2, 1), .white, from: .n17, asOf: Self.now)
      _ = try events.write(asOf: Self.now)
      events.memory.note(Self.query(2, 1), .white, from: .n17, asOf: later)
      _ = try events.write(asOf: later)
      #expect(try Self.records(path) == 3)
      _ = try events.write(asOf: Self.now.adding(seconds: 180 * 86_400))
      #expect(events.memory.subscriberCount == 2)
      _ = try events.write(asOf: Self.now.adding(seconds: 181 * 86_400))
      #expect(events.memory.subscriberCount == 1)
      #expect(try Self.reading(path).found.map(\.subscriber) == [15_001_010_000_000_002])
    }
  }

  @Test func `a disk that fails loses nothing that is known`() async throws {
    try await Self.withEvents { events, path in
      events.memory.note(Self.query(1, 1), .white, from: .n17, asOf: Self.now)
      _ = try events.write(asOf: Self.now)
      // A folder in the way of the file, which nothing replaces.
      try FileManager.default.removeItem(atPath: path)
      try FileManager.default.createDirectory(
        atPath: path + "/in/the/way", withIntermediateDirectories: true)
      events.memory.note(Self.query(1, 2), .white, from: .n17, asOf: Self.now)
      events.memory.note(Self.query(2, 1), .white, from: .n17, asOf: Self.now)
      for _ in 0..<2 {
        #expect(throws: NodeError.self) { try events.write(asOf: Self.now) }
      }
      #expect(events.queue.count == 1, "the event is on disk once")
      try FileManager.default.removeItem(atPath: path)
      _ = try events.write(asOf: Self.now)
      let found = try Self.reading(path).found
      #expect(Set(found.map(\.imei)) == [35_000_000_000_002, 35_000_000_000_001])
    }
  }

  private static func reading(_ path: String) throws -> (
    file: DeviceFile, found: [KnownDevice], damaged: Int?
  ) {
    var found: [KnownDevice] = []
    let (file, damaged) = try DeviceFile.recalled(from: path) { found.append($0) }
    return (file, found, damaged)
  }

  @Test func `what was written is found again, cut anywhere or with any byte changed`() throws {
    let seed: UInt64 = .random(in: 0...1_000_000)
    print("seed \(seed)")
    var chance = SeededGenerator(seed: seed)
    let scratch = try Scratch()
    let path = scratch.path + "/devices.known"
    var (file, found, damaged) = try Self.reading(path)
    #expect(found.isEmpty && damaged == nil)
    let all = (0..<300).map { Self.known(UInt64($0), UInt64($0) * 7, day: 20_000 + Int64($0)) }
    try file.replace { (write) throws(NodeError) in
      try write(Array(all[..<100]))
      try write(Array(all[100..<200]))
    }
    try file.append(Array(all[200...]))
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    (file, found, damaged) = try Self.reading(path)
    #expect(found == all && damaged == 0 && file.recordCount == 300)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(whole.count == 16 * 301)
    for _ in 0..<50 {
      let length = Int.random(in: 16...whole.count, using: &chance)
      try whole.prefix(length).write(to: URL(fileURLWithPath: path))
      (file, found, damaged) = try Self.reading(path)
      #expect(found == Array(all.prefix(length / 16 - 1)) && damaged == 0)
      // What follows stands where a whole record may stand.
      try file.append([all[299]])
      #expect(try Self.reading(path).found.last == all[299])
      var changed = whole
      let place = Int.random(in: 16..<whole.count, using: &chance)
      changed[place] ^= UInt8.random(in: 1...255, using: &chance)
      try changed.write(to: URL(fileURLWithPath: path))
      (file, found, damaged) = try Self.reading(path)
      // Ten bits prove a record: one change in a thousand is not seen, and is one subscriber's.
      #expect(found.filter { !all.contains($0) }.count + (damaged ?? 0) == 1)
    }
    try Data("something else entirely".utf8).write(to: URL(fileURLWithPath: path))
    (file, found, damaged) = try Self.reading(path)
    #expect(found.isEmpty && damaged == nil)
  }
}

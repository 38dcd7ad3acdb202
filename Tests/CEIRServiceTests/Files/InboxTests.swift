import CEIRService
import DeviceIdentity
import DeviceLists
import Foundation
import GZip
import ListExchange
import RegistryStore
import Simulation
import Testing

/// Files of an operator, on a real database. One at a time: each has a database of its own.
@Suite(.serialized)
struct InboxTests {
  private static let imei = "490154203237518"
  private static let other = "356938035643809"

  @Test func `each kind takes effect, is answered and archived`() async throws {
    try await FileOffice.with { office in
      try await office.store.write {
        try await $0.setPolicy(
          OperatorPolicy(
            mode: .unknown, blockRequests: .accepted, unblockRequests: .accepted, dailyLimit: 2),
          of: FileOffice.code, by: "test")
      }
      try await office.work()
      let requests = try office.hand(
        1, .requests,
        [
          "block,\(Self.imei),001010000000001,\"lost, or stolen\",T-1",
          "block,490154203237517,,x,", "unblock,\(Self.other),001010000000001,x,",
          "block,\(Self.other),001010000000001,x,",
        ], .gzip)
      let full = try office.hand(2, .ownFull, ["\(Self.other),x,", "12345678901237,,"])
      let delta = try office.hand(
        3, .ownDelta,
        ["add,\(Self.other),,", "remove,12345678901237,,", "remove,11111111111119,,"])
      let now = Instant.now
      let sightings = try office.hand(
        4, .sightings,
        [
          "49015420323751,001010000000001,21650123456,lte,black,\(now)",
          "49015420323751,001010000000001,,,black,\(now)",
          "*#06#,001010000000002,,,unknown,\(now.adding(seconds: -3_600))",
          "49015420323751,001010000000001,,,black,\(now.adding(seconds: 5_000))",
        ])
      let resend = try office.hand(5, .resend, ["1", "77"])
      let head = try await office.head()
      let acknowledgement = try office.hand(
        6, .acknowledgement, ["\(head.epoch),\(head.position),\(head.digest),0"])
      try await office.work()

      let expected: [(InboundName, Int, Int, String)] = [
        (requests, 1, 3, "3,0009,imei cannot be used\n"), (full, 2, 0, "detail\n"),
        (delta, 1, 2, "2,1301,"), (sightings, 3, 1, "5,0012,seenAt"),
        (resend, 1, 1, "3,1304,"), (acknowledgement, 1, 0, "detail\n"),
      ]
      for (name, taken, refused, text) in expected {
        let response = try office.response(name)
        #expect(response.state == .processed, "\(name.stem)")
        #expect((response.taken, response.refused) == (taken, refused), "\(name.stem)")
        let refusals = try office.refusals(name)
        #expect(refusals.contains(text), "\(name.stem): \(refusals)")
        #expect(!refusals.contains("00101"), "no subscriber is shown")
      }
      #expect(try office.refusals(requests).contains("5,1303,"))
      #expect(try office.names("inbox").isEmpty)
      let kept = try office.names("archive").filter { $0.hasPrefix("alfa_") }
      #expect(kept.count == 12)
      try await office.publish()
      // The whole list has not ended what the request before it asked for.
      #expect(try await office.head().position.number == 2)
    }
  }

  @Test func `what was handed in leaves the archive after its days, and its answer stays`()
    async throws
  {
    try await FileOffice.with { office in
      try await office.work()
      let name = try office.hand(1, .ownFull, ["\(Self.imei),x,"])
      try office.put([1], "inbox/nonsense")
      try await office.work()
      func handedIn() throws -> [String] {
        try office.names("archive").filter { $0.hasPrefix("alfa_") || $0.hasPrefix("refused-") }
      }
      #expect(try handedIn().count == 3)
      try await office.work(in: 86_400 * 89, removesOld: true)
      #expect(try handedIn().count == 3)
      try await office.work(in: 86_400 * 91, removesOld: true)
      #expect(try handedIn().isEmpty)
      #expect(try office.response(name).state == .processed)
      let kept = try office.names("archive")
      #expect(kept.contains { $0.contains("full") }, "the registry's own")
    }
  }

  @Test func `a name that is no text is moved away like any other`() async throws {
    try await FileOffice.with { office in
      try await office.work()
      for _ in 0..<2 {
        let path = Array("\(office.home)/inbox/".utf8CString.dropLast()) + [-1, 65, 0]
        let file = creat(path, 0o640)
        #expect(file >= 0)
        close(file)
        try await office.work()
        #expect(try office.names("inbox").isEmpty)
      }
      let archived = try office.names("archive").filter { $0.contains("%25FFA") }
      #expect(archived.count == 2)
    }
  }

  @Test func `an inbox that cannot be read keeps no list from its operator`() async throws {
    try await FileOffice.with { office in
      try await office.work()
      let before = try office.manifests().count
      let inbox = "\(office.home)/inbox"
      try FileManager.default.removeItem(atPath: inbox)
      try office.put([1], "inbox")
      try await office.block(1...3)
      try await office.work(in: 301)
      #expect(try office.manifests().count == before + 1)
      #expect(office.metrics.fileFailures.current == 1)
      try FileManager.default.removeItem(atPath: inbox)
      try await office.work(in: 302)
      #expect(try office.names("inbox").isEmpty)
    }
  }

  @Test(.enabled(if: geteuid() != 0, "root may read everything"))
  func `a file that may not be read is answered with what to change`() async throws {
    try await FileOffice.with { office in
      try await office.work()
      let name = try office.hand(1, .ownFull, ["\(Self.imei),x,"])
      chmod("\(office.home)/inbox/\(name.manifest)", 0)
      try await office.work()
      let response = try office.response(name)
      #expect(response.state == .refused)
      #expect(response.code == .manifestUnusable)
      #expect(response.detail.contains("cannot be read"))
    }
  }

  @Test func `what came before is answered again and takes no effect twice`() async throws {
    try await FileOffice.with { office in
      try await office.work()
      let lines = ["add,\(Self.imei),,", "add,x,,"]
      let name = try office.hand(1, .ownDelta, lines)
      try await office.work()
      let (answer, refusals) = try (office.response(name), office.refusals(name))
      // Killed between the transaction and the answer: the file lies there as before.
      for file in [name.response, name.refusals] {
        try FileManager.default.removeItem(atPath: "\(office.home)/responses/\(file)")
      }
      try office.hand(1, .ownDelta, lines)
      try await office.work()
      #expect(try office.response(name) == answer)
      #expect(try office.refusals(name) == refusals)
      #expect(try office.names("inbox").isEmpty)
      try office.hand(1, .ownDelta, ["remove,\(Self.imei),,"])
      try await office.work()
      #expect(try office.response(name) == answer)
      let refusal = try InboundResponse(
        json: try office.bytes("responses/refused-\(name.response)"))
      #expect(refusal.code == .numberReused)
      try await office.publish()
      #expect(try await office.head().position.number == 1)
    }
  }

  @Test func `files are taken in order, and a gap is said after an hour`() async throws {
    try await FileOffice.with { office in
      try await office.work()
      let third = try office.hand(3, .ownDelta, ["remove,\(Self.imei),,"])
      let second = try office.hand(2, .ownDelta, ["add,\(Self.imei),,"])
      try await office.work()
      #expect(try office.names("responses").isEmpty)
      try await office.work(in: 4_000)
      #expect(try office.response(third).code == .numberMissing)
      #expect(try office.response(second).state == .waiting)
      #expect(try office.names("inbox").count == 4)
      let first = try office.hand(1, .ownDelta, [])
      try await office.work()
      for name in [first, second, third] {
        #expect(try office.response(name).state == .processed)
        #expect(try office.response(name).refused == 0)
      }
      try await office.publish()
      #expect(try await office.head().digest == .zero)
    }
  }

  @Test func `a file that is not complete is waited for`() async throws {
    try await FileOffice.with { office in
      try await office.work()
      let name = try office.hand(1, .resend, ["1"])
      let manifest = try office.bytes("inbox/\(name.manifest)")
      let data = try office.bytes("inbox/\(name.data(.none))")
      try FileManager.default.removeItem(atPath: "\(office.home)/inbox/\(name.manifest)")
      try await office.work(in: 9_000)
      #expect(try office.names("inbox") == [name.data(.none)])
      try FileManager.default.removeItem(atPath: "\(office.home)/inbox/\(name.data(.none))")
      try office.put(manifest, "inbox/\(name.manifest)")
      try office.put(data, "inbox/.\(name.data(.none))")
      try await office.work()
      #expect(try office.names("responses").isEmpty)
      try await office.work(in: 4_000)
      #expect(try office.response(name).code == .fileDiffers)
      // The number is free: the whole file is taken now.
      try office.put(data, "inbox/\(name.data(.none))")
      try office.put(manifest, "inbox/\(name.manifest)")
      try await office.work()
      #expect(try office.response(name).state == .processed)
    }
  }

  private enum Fault: CaseIterable {
    case shorter, longer, otherBytes, otherHash, notGZip, cutGZip, tailed, bomb, tooLong,
      otherCount, otherHeader, noJSON, hugeManifest, otherManifest, otherNode, otherOperator,
      dataIsLink, dataIsFolder, manifestIsLink
  }

  @Test(arguments: Fault.allCases)
  private func `a file with a fault is refused, kept aside, and its number stays free`(
    fault: Fault
  ) async throws {
    try await FileOffice.with { office in
      try await office.work()
      let (name, code) = try hand(fault, to: office)
      try await office.work()
      let response = try office.response(name)
      #expect(response.state == .refused)
      #expect(response.code == code, "\(response)")
      #expect(try office.names("inbox").isEmpty)
      #expect(try office.names("archive").contains { $0.hasPrefix("refused-") })
      let good = try office.hand(1, .resend, ["1"])
      try await office.work()
      #expect(try office.response(good).state == .processed)
      #expect(try office.names("work").isEmpty)
    }
  }

  private func hand(
    _ fault: Fault, to office: FileOffice
  ) throws -> (InboundName, ExchangeCode) {
    func hand(
      _ lines: [String] = ["1"], _ compression: FileCompression = .none, data: [UInt8]? = nil,
      change: (inout InboundManifest) -> Void = { _ in }
    ) throws -> InboundName {
      try office.hand(1, .resend, lines, compression, data: data, change: change)
    }
    func replace(_ file: String, with make: (String) throws -> Void) throws {
      let path = "\(office.home)/inbox/\(file)"
      try FileManager.default.removeItem(atPath: path)
      try make(path)
    }
    let packer = try GZipWriter()
    let packed = packer.append(Array("number\n1\n".utf8)) + packer.finish()
    switch fault {
    case .shorter: return (try hand { $0.file.bytes -= 1 }, .fileDiffers)
    case .longer: return (try hand { $0.file.bytes += 1 }, .fileDiffers)
    case .otherBytes:
      let name = try hand()
      try office.put(Array("number\n2\n".utf8), "inbox/\(name.data(.none))")
      return (name, .fileDiffers)
    case .otherHash:
      let hash = ContentHash(String(repeating: "0", count: 64))!
      return (try hand { $0.file.sha256 = hash }, .fileDiffers)
    case .notGZip:
      return (try hand(["1"], .gzip, data: Array("number\n1\n".utf8)), .compressionDamaged)
    case .cutGZip:
      return (try hand(["1"], .gzip, data: packed.dropLast(3)), .compressionDamaged)
    case .tailed: return (try hand(["1"], .gzip, data: packed + [0]), .compressionDamaged)
    case .bomb:
      let bomb = try GZipWriter()
      var bytes = bomb.append(Array("number\n".utf8))
      for _ in 0..<40 { bytes += bomb.append([UInt8](repeating: 0x30, count: 1 << 20)) }
      return (try hand(["1"], .gzip, data: bytes + bomb.finish()), .fileTooLong)
    case .tooLong:
      return (try hand(data: [UInt8](repeating: 0x0A, count: 17 << 20)), .fileTooLong)
    case .otherCount: return (try hand { $0.records = 2 }, .recordCountDiffers)
    case .otherHeader: return (try hand(data: Array("numbers\n1\n".utf8)), .malformed)
    case .noJSON:
      let name = try hand()
      try office.put(Array("no".utf8), "inbox/\(name.manifest)")
      return (name, .manifestUnusable)
    case .hugeManifest:
      let name = try hand()
      try office.put([UInt8](repeating: 0x20, count: 70_000), "inbox/\(name.manifest)")
      return (name, .manifestUnusable)
    case .otherManifest:
      let name = try hand {
        $0.name = InboundName(
          operatorCode: $0.name.operatorCode, node: $0.name.node, number: FileNumber(2)!,
          kind: .resend)
      }
      return (name, .manifestUnusable)
    case .otherNode:
      let node = NodeName("eir-9")!
      return (try office.hand(1, .resend, ["1"], node: node), .wrongOperator)
    case .otherOperator:
      let name = try hand {
        $0.name = InboundName(
          operatorCode: OperatorCode("beta")!, node: $0.name.node, number: $0.name.number,
          kind: .resend)
      }
      return (name, .manifestUnusable)
    case .dataIsLink, .dataIsFolder, .manifestIsLink:
      let name = try hand()
      try replace(fault == .manifestIsLink ? name.manifest : name.data(.none)) { path in
        if fault == .dataIsFolder {
          try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false)
        } else {
          try FileManager.default.createSymbolicLink(
            atPath: path, withDestinationPath: "/etc/passwd")
        }
      }
      return (name, fault == .manifestIsLink ? .manifestUnusable : .fileDiffers)
    }
  }

  @Test func `what is no file of the operator is moved away and answered`() async throws {
    try await FileOffice.with { office in
      try await office.work()
      try office.put([1], "inbox/holiday photo.jpg")
      try office.put([1], "inbox/..\u{7}.csv")
      try office.hand(1, .resend, ["1"], operatorCode: OperatorCode("beta")!)
      let inbox = "\(office.home)/inbox"
      try FileManager.default.createDirectory(
        atPath: "\(inbox)/folder/inner", withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: "\(inbox)/link", withDestinationPath: "/etc/passwd")
      try await office.work()
      // A name that begins with a dot is still being written.
      #expect(try office.names("inbox") == ["..\u{7}.csv"])
      let responses = try office.names("responses")
      #expect(
        responses == [
          "refused-beta_eir-1_000000001_resend.csv.response.json",
          "refused-beta_eir-1_000000001_resend.json.response.json",
          "refused-folder.response.json", "refused-holiday%20photo.jpg.response.json",
          "refused-link.response.json",
        ])
      let answers = try responses.map {
        try InboundResponse(json: try office.bytes("responses/\($0)"))
      }
      let codes: [ExchangeCode?] = [
        .wrongOperator, .wrongOperator, .unknownName, .unknownName, .unknownName,
      ]
      #expect(answers.map(\.code) == codes)
      #expect(try office.names("archive").count { $0.hasPrefix("refused-") } == 5)
    }
  }

  @Test func `of two services on one folder one works and the other waits`() async throws {
    try await FileOffice.with { office in
      try await office.work()
      let services = (0..<2).map { _ in Task { try await office.exchange.run() } }
      for number in 1...3 {
        let lines = (0..<20).map { "add,3500000000\(number * 100 + 1_000 + $0),," }
        let name = try office.hand(number, .ownDelta, lines)
        try await eventually("the answer to a file") { (try? office.response(name)) != nil }
        #expect(try office.response(name).taken == 20)
      }
      for service in services { service.cancel() }
      for service in services { _ = await service.result }
      try await office.publish()
      #expect(try await office.head().position.number == 60)
    }
  }
}

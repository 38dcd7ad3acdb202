import DeviceLists
import Foundation
import Testing

@testable import ListExchange

/// `Schema/exchange/files.md` says what the code does.
struct FileDescriptionTests {
  private static let text: String = {
    let path = FileSamples.repository.appending(path: "Schema/exchange/files.md")
    return (try? String(contentsOf: path, encoding: .utf8)) ?? ""
  }()

  @Test func `the columns are those of the document`() {
    var rows: [(String, [String])] = ReplicationName.Kind.allCases.map {
      ($0.rawValue, ListFile.columns(of: $0))
    }
    rows += InboundName.Kind.allCases.map { ($0.rawValue, $0.columns) }
    for (file, columns) in rows {
      let row = "| `\(file)` | `\(columns.joined(separator: ","))` |"
      #expect(Self.text.contains(row), "\(row)")
    }
    #expect(
      Self.text.contains("| refused lines | `\(RefusalFile.columns.joined(separator: ","))` |"))
  }

  @Test func `limits and words are those of the document`() {
    for row in [
      "| bytes, as it comes and as text | \(grouped(FileLimits.longestInboundBytes)) |",
      "| records | \(grouped(FileLimits.mostInboundRecords)) |",
      "| bytes of a line | \(grouped(FileLimits.longestLineBytes)) |",
      "at most \(grouped(FileLimits.mostChanges)) records",
      "at most \(grouped(FileLimits.longestManifestBytes)) bytes",
    ] {
      #expect(Self.text.contains(row), "\(row)")
    }
    for state in InboundResponse.State.allCases {
      #expect(Self.text.contains("| `\(state.rawValue)` |"), "\(state)")
    }
  }

  @Test func `the worked examples are read by the code`() throws {
    let blocks = Self.text.components(separatedBy: "```").enumerated()
      .filter { $0.offset % 2 == 1 }.map(\.element)
    let lists = blocks.filter { $0.hasPrefix("\nscope,") || $0.hasPrefix("\nposition,") }
    #expect(lists.count == 2)
    for block in lists {
      let kind: ReplicationName.Kind = block.hasPrefix("\nscope") ? .full : .incremental
      var reader = ListFileReader(kind, feed: .init(of: .init("alfa")!))
      _ = try reader.rows(in: Array(block.dropFirst().utf8))
      try reader.finish()
      #expect(reader.records > 0)
    }
    let requests = try #require(blocks.first { $0.hasPrefix("\nkind,imei") })
    var reader = InboundFileReader(.requests)
    let rows = try reader.rows(in: Array(requests.dropFirst().utf8))
    #expect(
      rows.count { if case .record = $0 { true } else { false } } == 2, "\(rows)")
    let inbound = try #require(blocks.first { $0.contains("\"node\"") })
    #expect(
      try InboundManifest(json: Array(inbound.dropFirst(4).utf8)).dataFile
        == "alfa_eir-1_000000005_requests.csv")
    let response = try #require(blocks.first { $0.contains("\"state\"") })
    #expect(try InboundResponse(json: Array(response.dropFirst(4).utf8)).taken == 1)
  }

  private func grouped(_ number: Int) -> String {
    var text = ""
    for (place, digit) in String(number).reversed().enumerated() {
      if place > 0, place % 3 == 0 { text = "," + text }
      text = String(digit) + text
    }
    return text
  }
}

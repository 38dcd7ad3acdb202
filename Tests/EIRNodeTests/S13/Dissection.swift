import Foundation
import Simulation
import Testing

/// What tshark finds in captured Diameter messages.
struct Dissection {
  struct Message: Hashable {
    var command: String
    var isRequest: Bool
    /// Result-Code, or Experimental-Result-Code.
    var code: String
    var equipmentStatus: String
  }

  /// Those that the node has sent, in their order.
  let messages: [Message]
  /// What tshark does not like in them: one line a packet.
  let complaints: [String]

  /// A capture of whole connections, in which the node has `port`.
  init(ofPort port: String, in file: String) async throws {
    try await self.init(
      file, as: ["-d", "tcp.port==\(port),diameter"], filter: "diameter && tcp.srcport==\(port)")
  }

  /// Single messages, each written as a packet.
  init(_ messages: [[UInt8]], in folder: String) async throws {
    let file = "\(folder)/\(UUID().uuidString).pcap"
    try Data(Self.packets(messages)).write(to: URL(filePath: file))
    let table = #"uat:user_dlts:"User 0 (DLT=147)","diameter","0","","0","""#
    try await self.init(file, as: ["-o", table], filter: "frame")
  }

  private init(_ file: String, as options: [String], filter: String) async throws {
    let fields =
      ["cmd.code", "flags.request", "Result-Code", "Experimental-Result-Code"]
      .map { "diameter.\($0)" } + ["diameter.Equipment-Status"]
    let rows = try await Self.rows(file, options + ["-Y", filter], fields)
    messages = try rows.flatMap(Self.messages)
    complaints = try await Self.rows(
      file,
      options + ["-Y", "(\(filter)) && (_ws.malformed || _ws.expert.severity >= \"Warning\")"],
      ["_ws.expert.message", "_ws.malformed"]
    ).map { $0.filter { !$0.isEmpty }.joined(separator: ": ") }
  }

  private static func rows(
    _ file: String, _ options: [String], _ fields: [String]
  ) async throws -> [[String]] {
    let result = try await Program.run(
      "/usr/bin/tshark",
      ["-r", file, "-T", "fields"] + options + fields.flatMap { ["-e", $0] })
    try #require(result.status == 0, "\(result.errors)")
    return result.output.split(separator: "\n").map { line in
      line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
  }

  /// Several messages of a packet stand in one row, what they have of a field with commas between.
  private static func messages(_ row: [String]) throws -> [Message] {
    var columns = row.map { $0.split(separator: ",").map(String.init)[...] }
    try #require(columns[0].count == columns[1].count, "\(row)")
    return columns[0].indices.map { index in
      let isRequest = ["1", "True"].contains(columns[1][index])
      var message = Message(
        command: columns[0][index], isRequest: isRequest, code: "", equipmentStatus: "")
      guard !isRequest else { return message }
      // An answer with an experimental result has no other.
      let isUnknown = columns[2].isEmpty
      message.code = columns[isUnknown ? 3 : 2].popFirst() ?? ""
      if message.command == "324", message.code == "2001" {
        message.equipmentStatus = columns[4].popFirst() ?? ""
      }
      return message
    }
  }

  /// A capture file of the type USER0, which tshark is told to read as Diameter.
  private static func packets(_ messages: [[UInt8]]) -> [UInt8] {
    func words(_ numbers: [UInt32]) -> [UInt8] {
      numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian) { Array($0) } }
    }
    let head = words([0xA1B2_C3D4, 4 << 16 | 2, 0, 0, 1 << 18, 147])
    return messages.reduce(into: head) { file, message in
      let count = UInt32(message.count)
      file += words([1_795_415_000, 0, count, count]) + message
    }
  }
}

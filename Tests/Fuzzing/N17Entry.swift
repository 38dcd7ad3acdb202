import DeviceLists
import EquipmentCheck

/// `METHOD target`, and in a second line what `accept` says, where there is one.
enum N17Entry {
  private static let services = [N17(), N17(apiPrefix: "/eir")]

  static func run(_ input: [UInt8]) -> Bool {
    let lines = input.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
    let words = lines[0].split(separator: 0x20, maxSplits: 1, omittingEmptySubsequences: false)
    let method = String(decoding: words[0], as: UTF8.self)
    let target = words.count > 1 ? Array(words[1]) : []
    let accept = lines.count > 1 ? String(decoding: lines[1], as: UTF8.self) : nil
    var isUnderstood = false
    for service in services {
      do throws(N17Refusal) {
        _ = try service.query(method: method, target: target.span, accept: accept)
        isUnderstood = true
      } catch {
        let answer = N17Message(error)
        precondition(400..<500 ~= answer.status, "a refusal has the status \(answer.status)")
        precondition(answer.body.utf8.allSatisfy { 0x20...0x7E ~= $0 }, "what was sent comes back")
      }
    }
    return isUnderstood
  }
}

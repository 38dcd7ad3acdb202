/// A random name of 128 bits: 32 hexadecimal digits in lower case.
///
/// `Kind` tells names of different things apart.
package struct RandomID<Kind>: Hashable, Sendable, CustomStringConvertible {
  package let description: String

  package init(using generator: inout some RandomNumberGenerator) {
    let words: [UInt64] = [generator.next(), generator.next()]
    description = words.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  package init?(_ text: some StringProtocol) {
    guard text.utf8.count == 32 else { return nil }
    guard text.utf8.allSatisfy({ 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }) else { return nil }
    description = String(text)
  }
}

package enum InstanceKind {}
package enum QueryKind {}
package enum OperatorRequestKind {}

/// Of one installation of a node, kept in its directory: two machines with one name have two.
package typealias InstanceID = RandomID<InstanceKind>
/// Of an asynchronous query.
package typealias QueryID = RandomID<QueryKind>
/// Of a request to block or unblock.
package typealias RequestID = RandomID<OperatorRequestKind>

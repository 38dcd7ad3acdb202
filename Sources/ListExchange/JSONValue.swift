/// One JSON value as it came, small enough to be held. RFC 8259.
package indirect enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  /// A whole number from 0 to 2^64 − 1.
  case whole(UInt64)
  /// Any other number: the exchange has none, so its value is not kept.
  case otherNumber
  case text(String)
  case array([JSONValue])
  case object([Member])

  package struct Member: Hashable, Sendable {
    let name: String
    let value: JSONValue
  }

  /// The whole of `bytes` as one value.
  init(_ bytes: UnsafeRawBufferPointer) throws(ExchangeError) {
    var reader = JSONReader(bytes)
    self = try reader.document()
  }

  /// The member of that name; nil where there is none or this is no object.
  subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  var text: String? { if case .text(let text) = self { text } else { nil } }
  var whole: UInt64? { if case .whole(let number) = self { number } else { nil } }
  var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
}

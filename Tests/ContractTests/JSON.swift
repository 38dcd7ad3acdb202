import Foundation

/// Any JSON, to look into a document whose form is what is tested.
indirect enum JSON: Hashable, Sendable, Codable {
  case null
  case bool(Bool)
  case whole(Int64)
  case text(String)
  case array([JSON])
  case object([String: JSON])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let number = try? value.decode(Int64.self) {
      self = .whole(number)
    } else if let text = try? value.decode(String.self) {
      self = .text(text)
    } else if let array = try? value.decode([JSON].self) {
      self = .array(array)
    } else {
      self = .object(try value.decode([String: JSON].self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    switch self {
    case .null: try value.encodeNil()
    case .bool(let bool): try value.encode(bool)
    case .whole(let number): try value.encode(number)
    case .text(let text): try value.encode(text)
    case .array(let array): try value.encode(array)
    case .object(let members): try value.encode(members)
    }
  }

  init(bytes: some Collection<UInt8>) throws {
    self = try JSONDecoder().decode(JSON.self, from: Data(bytes))
  }

  var bytes: [UInt8] { get throws { Array(try JSONEncoder().encode(self)) } }

  var text: String? { if case .text(let text) = self { text } else { nil } }
  var whole: Int64? { if case .whole(let number) = self { number } else { nil } }
  var array: [JSON] { if case .array(let array) = self { array } else { [] } }
  var object: [String: JSON] { if case .object(let members) = self { members } else { [:] } }

  subscript(name: String) -> JSON? { object[name] }

  /// The names of all members, also of those deeper inside.
  var names: Set<String> {
    switch self {
    case .array(let array): array.reduce(into: []) { $0.formUnion($1.names) }
    case .object(let members):
      members.values.reduce(into: Set(members.keys)) { $0.formUnion($1.names) }
    default: []
    }
  }
}

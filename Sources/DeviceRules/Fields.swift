import DeviceLists

/// The name of a field in a document.
package struct FieldName: CodingKey, Hashable, Sendable {
  package let stringValue: String
  package var intValue: Int? { nil }

  package init(_ name: String) { stringValue = name }
  package init?(stringValue: String) { self.init(stringValue) }
  package init?(intValue: Int) { return nil }
}

/// Reads an object of a document strictly: each field is checked as it is read, and one that nobody
/// has read is refused by its name.
package struct Fields {
  /// Of a text in a document.
  static let longestText = 200
  /// Of a list in a document.
  static let longestList = 1_000

  private let container: KeyedDecodingContainer<FieldName>
  private(set) var place: String
  private var read: Set<String> = []

  init(_ decoder: any Decoder, place: String) throws(RuleError) {
    do {
      try self.init(decoder.container(keyedBy: FieldName.self), place: place)
    } catch let error as RuleError {
      throw error
    } catch {
      throw RuleError(place, "must be an object")
    }
  }

  init(_ container: KeyedDecodingContainer<FieldName>, place: String) {
    self.container = container
    self.place = place
  }

  /// Says more exactly where it stands, once that is known.
  mutating func named(_ place: String) { self.place = place }

  mutating func has(_ name: String) -> Bool {
    read.insert(name)
    return container.contains(FieldName(name))
  }

  mutating func flag(_ name: String, default usual: Bool) throws(RuleError) -> Bool {
    try value(name, "true or false") ?? usual
  }

  mutating func integer(
    _ name: String, in range: ClosedRange<Int>, default usual: Int? = nil
  ) throws(RuleError) -> Int {
    guard let number: Int = try value(name, "a whole number") ?? usual else {
      throw missing(name)
    }
    guard range.contains(number) else {
      throw RuleError(
        place, "\(name) must be \(range.lowerBound) to \(range.upperBound) and is \(number)")
    }
    return number
  }

  mutating func number(
    _ name: String, in range: ClosedRange<Double>, default usual: Double? = nil
  ) throws(RuleError) -> Double {
    guard let number: Double = try value(name, "a number") ?? usual else { throw missing(name) }
    guard range.contains(number) else {
      throw RuleError(
        place, "\(name) must be \(range.lowerBound) to \(range.upperBound) and is \(number)")
    }
    return number
  }

  mutating func text(_ name: String, default usual: String? = nil) throws(RuleError) -> String {
    guard let text: String = try value(name, "a text") ?? usual else { throw missing(name) }
    guard text.unicodeScalars.count <= Self.longestText else {
      throw RuleError(place, "\(name) is longer than \(Self.longestText) characters")
    }
    return text
  }

  mutating func texts(_ name: String, default usual: [String]) throws(RuleError) -> [String] {
    let texts: [String] = try value(name, "a list of texts") ?? usual
    guard texts.count <= Self.longestList else {
      throw RuleError(place, "\(name) has more than \(Self.longestList) texts")
    }
    guard texts.allSatisfy({ $0.unicodeScalars.count <= Self.longestText }) else {
      throw RuleError(place, "\(name) has a text of more than \(Self.longestText) characters")
    }
    return texts
  }

  mutating func integers(_ name: String) throws(RuleError) -> [String: Int]? {
    try value(name, "an object of whole numbers")
  }

  /// One of a few words.
  mutating func word<Word: RawRepresentable & CaseIterable>(
    _ name: String, default usual: Word
  ) throws(RuleError) -> Word where Word.RawValue == String {
    let text = try text(name, default: usual.rawValue)
    guard let word = Word(rawValue: text) else {
      let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
      throw RuleError(place, "\(name) must be one of \(known) and is \(text)")
    }
    return word
  }

  mutating func day(_ name: String) throws(RuleError) -> Day {
    let text = try text(name)
    guard let day = Day(text) else {
      throw RuleError(place, "\(name) must be a day such as 2026-11-23 and is \(text)")
    }
    return day
  }

  mutating func groundCode(_ name: String) throws(RuleError) -> GroundCode {
    let word = try text(name)
    guard let code = GroundCode(word: word) else {
      throw RuleError(place, "\(name) is \(word), which is no ground code")
    }
    return code
  }

  mutating func groundCodes(_ name: String, default usual: [String]) throws(RuleError)
    -> GroundCodeSet
  {
    var codes: GroundCodeSet = []
    for word in try texts(name, default: usual) {
      guard let code = GroundCode(word: word) else {
        throw RuleError(place, "\(name) has \(word), which is no ground code")
      }
      codes.insert(GroundCodeSet(code))
    }
    return codes
  }

  /// `days` or `months`.
  mutating func window(default usual: Window) throws(RuleError) -> Window {
    switch (has("days"), has("months")) {
    case (true, true): throw RuleError(place, "give days or months, not both")
    case (true, false): .days(try integer("days", in: Window.days))
    case (false, true): .months(try integer("months", in: Window.months))
    case (false, false): usual
    }
  }

  /// The object in a field; nil where there is none.
  mutating func object(_ name: String) throws(RuleError) -> Fields? {
    guard has(name) else { return nil }
    do {
      let nested = try container.nestedContainer(
        keyedBy: FieldName.self, forKey: FieldName(name))
      return Fields(nested, place: "\(place), \(name)")
    } catch {
      throw RuleError(place, "\(name) must be an object")
    }
  }

  /// The objects of a list.
  mutating func objects(
    _ name: String, most: Int, place: (Int) -> String
  ) throws(RuleError) -> [Fields] {
    guard has(name) else { throw missing(name) }
    let refusal = RuleError(self.place, "\(name) must be a list of objects")
    do {
      var list = try container.nestedUnkeyedContainer(forKey: FieldName(name))
      var objects: [Fields] = []
      while !list.isAtEnd {
        guard objects.count < most else {
          throw RuleError(self.place, "\(name) has more than \(most) entries")
        }
        let nested = try list.nestedContainer(keyedBy: FieldName.self)
        objects.append(Fields(nested, place: place(objects.count + 1)))
      }
      return objects
    } catch {
      throw error as? RuleError ?? refusal
    }
  }

  /// To be called last.
  func refuseOthers() throws(RuleError) {
    let others = container.allKeys.map(\.stringValue).filter { !read.contains($0) }.sorted()
    guard let name = others.first else { return }
    throw RuleError(place, "there is no field \(name)")
  }

  private func missing(_ name: String) -> RuleError { RuleError(place, "\(name) is missing") }

  private mutating func value<Value: Decodable>(
    _ name: String, _ kind: String
  ) throws(RuleError) -> Value? {
    guard has(name) else { return nil }
    do {
      return try container.decode(Value.self, forKey: FieldName(name))
    } catch {
      throw RuleError(place, "\(name) must be \(kind)")
    }
  }
}

/// Where a document is written to.
package typealias FieldWriter = KeyedEncodingContainer<FieldName>

extension KeyedEncodingContainer<FieldName> {
  mutating func write(_ name: String, _ value: some Encodable) throws {
    try encode(value, forKey: FieldName(name))
  }

  mutating func write(_ window: Window) throws {
    switch window {
    case .days(let count): try write("days", count)
    case .months(let count): try write("months", count)
    }
  }

  mutating func write(_ name: String, _ codes: GroundCodeSet) throws {
    try write(name, codes.codes.map(\.description))
  }
}

/// One value in PostgreSQL's binary form, with its type. `nil` means that it does not fit.
struct BinaryValue {
  let type: PostgreSQLType
  let bytes: UnsafeRawBufferPointer

  var bool: Bool? {
    guard type == .bool, bytes.count == 1 else { return nil }
    return bytes[0] != 0
  }

  /// Any integer type, and a `numeric` without a fraction, such as `sum(bigint)` returns.
  func integer<Integer: FixedWidthInteger>() -> Integer? {
    switch type {
    case .int2: load(Int16.self).flatMap(Integer.init(exactly:))
    case .int4: load(Int32.self).flatMap(Integer.init(exactly:))
    case .int8: load(Int64.self).flatMap(Integer.init(exactly:))
    case .oid: load(UInt32.self).flatMap(Integer.init(exactly:))
    case .numeric: wholeNumeric.flatMap(Integer.init(exactly:))
    default: nil
    }
  }

  var double: Double? {
    switch type {
    case .float8: load(UInt64.self).map(Double.init(bitPattern:))
    case .float4: load(UInt32.self).map { Double(Float(bitPattern: $0)) }
    default: nil
    }
  }

  var string: String? {
    switch type {
    case .text, .varchar, .bpchar, .name, .json: String(validating: bytes, as: UTF8.self)
    case .jsonb: jsonb
    case .uuid: uuid
    case _ where type.oid >= PostgreSQLType.firstOfUsers:
      String(validating: bytes, as: UTF8.self)
    default: nil
    }
  }

  var timestamp: PostgreSQLTimestamp? {
    guard type == .timestamptz || type == .timestamp else { return nil }
    return load(Int64.self).map(PostgreSQLTimestamp.init(wire:))
  }

  var date: PostgreSQLDate? {
    guard type == .date else { return nil }
    return load(Int32.self).map(PostgreSQLDate.init(wire:))
  }

  /// Reads an array of at most one dimension; `read` gets `nil` for a NULL element and returns
  /// `nil` for what does not fit.
  func array<Element>(_ read: (BinaryValue?) -> Element?) -> [Element]? {
    var rest = bytes[...]
    guard let dimensions = Self.take(Int32.self, from: &rest), (0...1).contains(dimensions),
      Self.take(Int32.self, from: &rest) != nil,
      let elementType = Self.take(UInt32.self, from: &rest)
    else { return nil }
    guard dimensions == 1 else { return type.isArray ? [] : nil }
    guard let count = Self.take(Int32.self, from: &rest), count >= 0,
      Self.take(Int32.self, from: &rest) != nil, type.isArray
    else { return nil }
    var elements: [Element] = []
    elements.reserveCapacity(min(Int(count), rest.count / 4))
    for _ in 0..<count {
      guard let length = Self.take(Int32.self, from: &rest), length <= rest.count else {
        return nil
      }
      let place = rest.prefix(max(0, Int(length)))
      rest = rest.dropFirst(place.count)
      let value = BinaryValue(
        type: PostgreSQLType(oid: elementType), bytes: UnsafeRawBufferPointer(rebasing: place))
      guard let element = read(length < 0 ? nil : value) else { return nil }
      elements.append(element)
    }
    return elements
  }
}

extension BinaryValue {
  private func load<Integer: FixedWidthInteger>(_ type: Integer.Type) -> Integer? {
    guard bytes.count == MemoryLayout<Integer>.size else { return nil }
    return Integer(bigEndian: bytes.loadUnaligned(as: type))
  }

  private static func take<Integer: FixedWidthInteger>(
    _ type: Integer.Type, from rest: inout Slice<UnsafeRawBufferPointer>
  ) -> Integer? {
    let size = MemoryLayout<Integer>.size
    guard rest.count >= size else { return nil }
    let integer = rest.prefix(size).reduce(Integer.zero) {
      $0 << 8 | Integer(truncatingIfNeeded: $1)
    }
    rest = rest.dropFirst(size)
    return integer
  }

  /// A version byte, 1, then the text (`jsonb_send`).
  private var jsonb: String? {
    guard bytes.first == 1 else { return nil }
    return String(validating: bytes.dropFirst(), as: UTF8.self)
  }

  private var uuid: String? {
    guard bytes.count == 16 else { return nil }
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text.append(UInt8(ascii: "-")) }
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(validating: text, as: UTF8.self)
  }

  /// Base-10,000 digits, the weight of the first, sign, display scale (`numeric_send`).
  private var wholeNumeric: Int64? {
    var rest = bytes[...]
    guard let count = Self.take(Int16.self, from: &rest),
      let weight = Self.take(Int16.self, from: &rest),
      let sign = Self.take(UInt16.self, from: &rest),
      Self.take(UInt16.self, from: &rest) != nil,
      sign == 0 || sign == 0x4000, count >= 0, count <= weight + 1 || count == 0
    else { return nil }
    guard count > 0 else { return 0 }
    var value: Int64 = 0
    for place in 0...weight {
      var digit: Int64 = 0
      if place < count {
        guard let next = Self.take(Int16.self, from: &rest) else { return nil }
        digit = Int64(next)
      }
      let (shifted, tooLarge) = value.multipliedReportingOverflow(by: 10_000)
      let (sum, stillTooLarge) = shifted.subtractingReportingOverflow(digit)
      if tooLarge || stillTooLarge { return nil }
      value = sum
    }
    guard sign == 0 else { return value }
    return value == .min ? nil : -value
  }
}

extension PostgreSQLType {
  /// Arrays that we send and read.
  var isArray: Bool {
    let known: [PostgreSQLType] = [
      .boolArray, .byteaArray, .int2Array, .int4Array, .textArray, .int8Array, .float8Array,
      .dateArray, .timestamptzArray,
    ]
    let varcharArray = 1015
    let uuidArray = 2951
    return known.contains(self) || oid == varcharArray || oid == uuidArray
      || oid >= Self.firstOfUsers
  }
}

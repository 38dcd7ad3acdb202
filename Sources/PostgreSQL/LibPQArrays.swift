internal import CLibPQ

extension EncodedParameters {
  typealias Values = UnsafePointer<UnsafePointer<CChar>?>
  typealias Integers = UnsafePointer<Int32>

  /// The parameters in the parallel arrays that libpq takes.
  func withLibPQArrays(
    _ body: (Int32, UnsafePointer<Oid>?, Values?, Integers?, Integers?) -> Int32
  ) -> Int32 {
    guard !places.isEmpty else { return body(0, nil, nil, nil, nil) }
    let lengths = places.map { Int32($0.length) }
    let formats = types.map { Int32($0 == PostgreSQLType.unknown.oid ? 0 : 1) }
    return bytes.bytes.withUnsafeBytes { raw in
      let start = raw.baseAddress?.assumingMemoryBound(to: CChar.self)
      let values = places.map { place in place.offset < 0 ? nil : start.map { $0 + place.offset } }
      return body(Int32(places.count), types, values, lengths, formats)
    }
  }
}

/// Calls `body` with the keywords and values of a configuration, both ended by `nil`.
func withLibPQOptions<Result>(
  _ configuration: PostgreSQLConfiguration,
  _ body: (EncodedParameters.Values, EncodedParameters.Values) -> Result
) -> Result {
  var bytes: [CChar] = []
  var keywordOffsets: [Int] = []
  var valueOffsets: [Int] = []
  for option in configuration.libpqOptions {
    keywordOffsets.append(bytes.count)
    bytes += option.keyword.utf8CString
    valueOffsets.append(bytes.count)
    bytes += option.value.utf8CString
  }
  return bytes.withUnsafeBufferPointer { buffer in
    let start = buffer.baseAddress
    let keywords = keywordOffsets.map { offset in start.map { $0 + offset } } + [nil]
    let values = valueOffsets.map { offset in start.map { $0 + offset } } + [nil]
    return body(keywords, values)
  }
}

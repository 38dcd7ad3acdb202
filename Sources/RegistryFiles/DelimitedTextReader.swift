/// Takes delimited text apart record by record, in constant memory. RFC 4180, with these liberties:
/// lines end in LF or CRLF, even mixed; the last may have no end; a quote inside an unquoted field
/// is an ordinary character.
///
/// A record that cannot be taken apart is a fault of its first line, and reading goes on with the
/// line after that one: a stray quote costs one line, not the rest of the file.
struct DelimitedTextReader: ~Copyable, Sendable {
  enum Outcome: Hashable, Sendable {
    /// The fields can be looked at until the next call.
    case record
    case fault(Fault)
    case end
  }

  struct Fault: Hashable, Sendable {
    let code: RefusalCode
    let reason: String
    /// From 0; absent where the whole line is meant.
    let field: Int?

    init(_ code: RefusalCode, _ reason: String, field: Int? = nil) {
      self.code = code
      self.reason = reason
      self.field = field
    }
  }

  /// As errors call the file.
  let fileName: String
  let limits: FileLimits
  var delimiter: Delimiter = .comma
  /// The first line of the record that was read last, from 1.
  var line = 0
  /// How many lines the record spans.
  var lineCount = 0
  /// False for a last line that nothing ends.
  var hasLineEnd = true
  private(set) var bytesRead = 0

  private var source: ByteSource
  var buffer: [UInt8]
  /// Bytes of the buffer that hold text.
  var filled = 0
  var sourceHasEnded = false
  /// Where the current record starts, and the next.
  var start = 0
  var next = 0
  /// The fields of the current record, without their quotes, as places in the buffer.
  var fields: [Range<Int>] = []
  /// Fields that hold doubled quotes.
  var escapedFields: [Int] = []
  /// All bytes of the current record ored together; at least 0x80 if one is not ASCII.
  var orOfBytes: UInt8 = 0
  var holdsNUL = false

  /// Refuses UTF-16 and skips the byte order mark of UTF-8.
  init(
    _ source: consuming ByteSource, fileName: String, limits: FileLimits = FileLimits()
  ) throws(RegistryFileError) {
    self.source = source
    self.fileName = fileName
    self.limits = limits
    buffer = [UInt8](repeating: 0, count: limits.bufferBytes)
    try fill()
    if filled >= 2 {
      let mark = (buffer[0], buffer[1])
      guard mark != (0xFF, 0xFE), mark != (0xFE, 0xFF) else {
        throw RegistryFileError(.utf16, fileName: fileName)
      }
      if filled >= 3, mark == (0xEF, 0xBB), buffer[2] == 0xBF { next = 3 }
    }
  }

  mutating func read() throws(RegistryFileError) -> Outcome {
    let outcome = try look()
    if case .record = outcome { unescape() }
    return outcome
  }

  /// Goes to the next record but leaves doubled quotes as they are, so that ``lookAgain()`` can
  /// take the record apart in another way.
  mutating func look() throws(RegistryFileError) -> Outcome {
    line += lineCount
    start = next
    if line == 0 { line = 1 }
    while true {
      if start == filled, sourceHasEnded {
        lineCount = 0
        return .end
      }
      switch scan() {
      case .complete: return faultOfContent().map(Outcome.fault) ?? .record
      case .open: try fill()
      case .broken(let fault):
        try skipLine()
        return .fault(fault)
      }
    }
  }

  /// Takes the current record apart again, with the delimiter that is set now.
  mutating func lookAgain() -> Bool {
    guard case .complete = scan() else { return false }
    return faultOfContent() == nil
  }

  /// How far the current record reaches.
  var extent: (next: Int, lineCount: Int, hasLineEnd: Bool) {
    get { (next, lineCount, hasLineEnd) }
    set { (next, lineCount, hasLineEnd) = newValue }
  }

  /// Moves what is not used yet to the front and reads until the buffer is full.
  private mutating func fill() throws(RegistryFileError) {
    let kept = filled - start
    if start > 0 {
      let from = start
      buffer.withUnsafeMutableBytes { bytes in
        bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[from..<from + kept]))
      }
    }
    next -= start
    start = 0
    filled = kept
    while filled < buffer.count, !sourceHasEnded {
      let count = try readMore()
      filled += count
      bytesRead += count
      sourceHasEnded = count == 0
    }
  }

  private mutating func readMore() throws(RegistryFileError) -> Int {
    let from = filled
    let result: Result<Int, RegistryFileError> = buffer.withUnsafeMutableBytes { bytes in
      let target = UnsafeMutableRawBufferPointer(rebasing: bytes[from...])
      do throws(RegistryFileError) {
        return .success(try source.read(into: target))
      } catch {
        return .failure(error.named(fileName))
      }
    }
    return try result.get()
  }

  /// Lets the next record start after the end of the first line of this one.
  private mutating func skipLine() throws(RegistryFileError) {
    lineCount = 1
    var from = start
    while true {
      if let end = buffer[from..<filled].firstIndex(of: UInt8.lineFeed) {
        next = end + 1
        hasLineEnd = true
        return
      }
      next = filled
      hasLineEnd = false
      if sourceHasEnded { return }
      start = filled
      try fill()
      from = 0
    }
  }

  /// What is wrong with the bytes of a record that could be taken apart.
  private func faultOfContent() -> Fault? {
    if let long = fields.firstIndex(where: { $0.count > limits.longestFieldBytes }) {
      return Fault(
        .fieldTooLong,
        "has a field of \(fields[long].count) bytes; \(limits.longestFieldBytes) are allowed",
        field: long)
    }
    if holdsNUL { return Fault(.nulByte, "holds a NUL byte", field: field { $0 == 0 }) }
    guard orOfBytes >= 0x80 else { return nil }
    do {
      _ = try UTF8Span(validating: buffer.span.extracting(start..<next))
      return nil
    } catch {
      let place = error.byteOffsets.lowerBound
      return Fault(
        .notUTF8, "is not UTF-8 at its byte \(place + 1) (Latin-1?): save the file as UTF-8",
        field: fields.firstIndex { $0.contains(start + place) })
    }
  }

  private func field(holding isSought: (UInt8) -> Bool) -> Int? {
    fields.firstIndex { buffer[$0].contains(where: isSought) }
  }

  /// Makes one quote of two, in place.
  private mutating func unescape() {
    for index in escapedFields {
      let field = fields[index]
      var to = field.lowerBound
      var from = field.lowerBound
      while from < field.upperBound {
        let byte = buffer[from]
        buffer[to] = byte
        to += 1
        from += byte == .quote ? 2 : 1
      }
      fields[index] = field.lowerBound..<to
    }
    escapedFields.removeAll(keepingCapacity: true)
  }
}

extension UInt8 {
  static let quote: UInt8 = 0x22
  static let lineFeed: UInt8 = 0x0A
  static let carriageReturn: UInt8 = 0x0D
}

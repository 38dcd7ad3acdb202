extension DelimitedTextReader {
  enum Scan {
    case complete
    /// Reaches the end of what is in the buffer.
    case open
    case broken(Fault)
  }

  /// Takes the record at `start` apart as far as the buffer goes.
  mutating func scan() -> Scan {
    fields.removeAll(keepingCapacity: true)
    escapedFields.removeAll(keepingCapacity: true)
    lineCount = 1
    hasLineEnd = true
    var scan = FieldScan(
      from: start, limit: min(filled, start + limits.longestRecordBytes),
      delimiter: delimiter.rawValue)
    var step = FieldScan.Step.nextField
    while step == .nextField { step = passField(&scan) }
    orOfBytes = scan.orOfBytes
    holdsNUL = scan.holdsNUL
    switch step {
    case .nextField, .lineEnded:
      lineCount += scan.lineEnds
      next = scan.place
      return .complete
    case .limitReached, .quoteOpen: return stopped(scan, inQuotes: step == .quoteOpen)
    case .stray:
      return .broken(
        Fault(
          .strayQuote, "has something after a closing quote; read on from the next line",
          field: fields.count - 1))
    }
  }

  private mutating func passField(_ scan: inout FieldScan) -> FieldScan.Step {
    if scan.place < scan.limit, buffer[scan.place] == .quote {
      scan.place += 1
      let first = scan.place
      guard scan.passQuoted(buffer.span) else { return .quoteOpen }
      if scan.isEscaped { escapedFields.append(fields.count) }
      fields.append(first..<scan.place - 1)
      return scan.passClosed(buffer.span)
    }
    let first = scan.place
    let step = scan.passPlain(buffer.span)
    let end = step == .limitReached ? scan.place : scan.place - 1
    let hasReturn = step != .nextField && end > first && buffer[end - 1] == .carriageReturn
    fields.append(first..<(hasReturn ? end - 1 : end))
    return step
  }

  /// The bytes at hand have run out before the record has: too long, not read yet, or the end.
  private mutating func stopped(_ scan: FieldScan, inQuotes: Bool) -> Scan {
    if scan.place < filled {
      return .broken(
        Fault(
          .recordTooLong,
          "is longer than \(limits.longestRecordBytes) bytes"
            + (inQuotes ? " (is a quote not closed?)" : "") + "; read on from the next line"))
    }
    guard sourceHasEnded else { return .open }
    guard !inQuotes else {
      return .broken(
        Fault(
          .unclosedQuote, "opens a quote that is never closed; read on from the next line",
          field: fields.count))
    }
    hasLineEnd = false
    lineCount += scan.lineEnds
    next = scan.place
    return .complete
  }
}

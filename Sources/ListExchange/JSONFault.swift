/// Where a text stops being JSON, for a person who has written it.
package struct JSONFault: Hashable, Sendable {
  /// Such as `no colon`.
  package let what: String
  /// From 1.
  package let line: Int
  /// In characters, from 1.
  package let column: Int

  /// Nil where all of it is JSON.
  package init?(in bytes: UnsafeRawBufferPointer) {
    var reader = JSONReader(bytes)
    do throws(ExchangeError) {
      _ = try reader.document()
      return nil
    } catch {
      let before = bytes[..<min(reader.place, bytes.count)]
      let lineBreak = UInt8(ascii: "\n")
      let start = before.lastIndex(of: lineBreak).map { $0 + 1 } ?? 0
      what = error.detail.replacing(/\ at byte \d+$/, with: "")
      line = before.count { $0 == lineBreak } + 1
      column = String(decoding: before[start...], as: UTF8.self).count + 1
    }
  }
}

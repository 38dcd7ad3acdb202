/// The number of a file: 1, 2, 3 …, nine digits in its name, so that loss and repetition are seen.
package struct FileNumber: Hashable, Comparable, Sendable, CustomStringConvertible {
  package static let first = FileNumber(unchecked: 1)
  package static let digitCount = 9

  package let number: Int

  private init(unchecked number: Int) { self.number = number }

  package init?(_ number: some BinaryInteger) {
    guard let number = Int(exactly: number) else { return nil }
    guard ResendRequest.numbersAllowed.contains(number) else { return nil }
    self.number = number
  }

  /// Nine digits.
  package init?(digits text: some StringProtocol) {
    guard text.utf8.count == Self.digitCount else { return nil }
    guard text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
    self.init(Int(text) ?? 0)
  }

  /// Nil after the last that nine digits can write.
  package var next: FileNumber? { FileNumber(number + 1) }

  package static func < (left: FileNumber, right: FileNumber) -> Bool {
    left.number < right.number
  }

  package var description: String {
    let digits = String(number)
    return String(repeating: "0", count: Self.digitCount - digits.count) + digits
  }
}

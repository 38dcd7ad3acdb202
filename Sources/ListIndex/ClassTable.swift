internal import DeviceLists

/// The classes of a list by number, with what counts for a verdict computed once for each.
///
/// Sendable: the memory is written in `init` only and freed in `deinit` only.
final class ClassTable: @unchecked Sendable {
  let listed: [ListedClass]
  /// By class number; nil where an empty `ListedClass` has a number, which no file has.
  let effective: UnsafePointer<EntryClass?>
  let count: Int
  fileprivate let numbers: [ListedClass: UInt16]

  init(_ numbering: ClassNumbering) {
    listed = numbering.listed
    numbers = numbering.numbers
    count = listed.count
    let memory = UnsafeMutablePointer<EntryClass?>.allocate(capacity: max(1, count))
    for (number, item) in listed.enumerated() {
      (memory + number).initialize(to: item.effective)
    }
    effective = UnsafePointer(memory)
  }

  deinit { effective.deallocate() }

  func number(of listed: ListedClass) -> UInt16? { numbers[listed] }

  func listed(_ number: UInt16) -> ListedClass? {
    Int(number) < count ? listed[Int(number)] : nil
  }

  @inline(__always)
  func answer(_ number: UInt16) -> EntryClass? {
    defer { withExtendedLifetime(self) {} }
    return Int(number) < count ? effective[Int(number)] : nil
  }
}

/// Gives numbers to classes as they appear, those of a table first.
struct ClassNumbering {
  private(set) var listed: [ListedClass] = []
  fileprivate private(set) var numbers: [ListedClass: UInt16] = [:]

  init() {}

  /// As a file numbers them. Two of the same would share the first number.
  init(listed: [ListedClass]) {
    self.listed = listed
    numbers = Dictionary(
      listed.enumerated().map { ($1, UInt16($0)) }, uniquingKeysWith: { first, _ in first })
  }

  init(_ table: ClassTable) {
    listed = table.listed
    numbers = table.numbers
  }

  /// Nil where there is no class, or one beyond the table, as a damaged file can have.
  func item(_ number: UInt16) -> ListedClass? {
    Int(number) < listed.count ? listed[Int(number)] : nil
  }

  mutating func number(of item: ListedClass) throws(ListIndexError) -> UInt16 {
    if let number = numbers[item] { return number }
    guard listed.count < Int(IndexLayout.noClass) else { throw ListIndexError(.tooMany("classes")) }
    let number = UInt16(listed.count)
    listed.append(item)
    numbers[item] = number
    return number
  }
}

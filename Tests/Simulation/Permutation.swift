/// The numbers from 0 to `count` − 1 in a seeded order, computed one by one in constant memory: a
/// Feistel network over the next power of four, walked until it falls below `count`.
struct Permutation: Sendable {
  let count: Int
  private let halfBits: UInt64
  private let keys: [UInt64]

  init(count: Int, seed: UInt64) {
    self.count = count
    var bits = 1
    while 1 << (2 * bits) < count { bits += 1 }
    halfBits = UInt64(bits)
    var generator = SeededGenerator(seed: seed)
    keys = (0..<4).map { _ in generator.next() }
  }

  subscript(index: Int) -> Int {
    precondition(0..<count ~= index, "outside of the permutation")
    var value = UInt64(index)
    repeat { value = encrypted(value) } while value >= UInt64(count)
    return Int(value)
  }

  private func encrypted(_ value: UInt64) -> UInt64 {
    let mask = 1 << halfBits - 1 as UInt64
    var (left, right) = (value >> halfBits, value & mask)
    for key in keys {
      (left, right) = (right, left ^ (SeededGenerator.mixed(right ^ key) & mask))
    }
    return left << halfBits | right
  }
}

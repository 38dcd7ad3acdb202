extension RandomNumberGenerator {
  mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
}

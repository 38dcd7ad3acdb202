import CMalloc

/// How the C library deals with memory that was given back.
enum Heap {
  /// Pieces from this many bytes on go back to the system at once.
  static let largeBytes: Int32 = 65_536

  /// Unless it is told, the C library raises that limit to the largest piece that was ever freed,
  /// and keeps those below it. What is made for one piece of a snapshot then adds up over the
  /// readers to several MiB for each, though hardly any of it is in use.
  static func returnLargePieces() { mallopt(M_MMAP_THRESHOLD, largeBytes) }
}

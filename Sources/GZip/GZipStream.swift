internal import CZlib

/// What both directions share: zlib's state, which must stay where it is in memory.
struct GZipStream: ~Copyable {
  /// The window of 32 KiB, and 16 for the header and ending of gzip instead of zlib's own.
  static let windowBits: Int32 = MAX_WBITS + 16
  static let byteCount = Int32(MemoryLayout<z_stream>.size)
  /// Bytes that come out at a time.
  static let pieceBytes = 65_536

  let state: UnsafeMutablePointer<z_stream>
  private let piece: UnsafeMutablePointer<UInt8>

  init() {
    state = .allocate(capacity: 1)
    state.initialize(to: z_stream())
    piece = .allocate(capacity: Self.pieceBytes)
  }

  deinit {
    piece.deallocate()
    state.deallocate()
  }

  /// Lets zlib work on `input` once, and returns how much of it was used, what came out, and what
  /// zlib says.
  func step(
    _ input: UnsafeBufferPointer<UInt8>, _ work: (UnsafeMutablePointer<z_stream>) -> Int32
  ) -> (used: Int, output: UnsafeBufferPointer<UInt8>, status: Int32) {
    // zlib only reads what `next_in` points to.
    state.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
    state.pointee.avail_in = UInt32(input.count)
    state.pointee.next_out = piece
    state.pointee.avail_out = UInt32(Self.pieceBytes)
    let status = work(state)
    let count = Self.pieceBytes - Int(state.pointee.avail_out)
    return (
      input.count - Int(state.pointee.avail_in),
      UnsafeBufferPointer(start: piece, count: count), status
    )
  }
}

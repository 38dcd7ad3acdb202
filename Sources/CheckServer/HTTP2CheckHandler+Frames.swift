import NIOCore

/// A header block that CONTINUATION frames complete. RFC 9113, 6.10.
struct HeaderFragments {
  let stream: UInt32
  let endsStream: Bool
  var block: ByteBuffer
  var frames = 1
}

/// Streams that we have reset: what the peer sent before it knew is to be passed over.
struct RecentStreams {
  private static let capacity = 256
  private var ring: [UInt32] = []
  private var next = 0

  mutating func insert(_ stream: UInt32) {
    if ring.count < Self.capacity {
      ring.append(stream)
    } else {
      ring[next] = stream
      next = (next + 1) % Self.capacity
    }
  }

  func contains(_ stream: UInt32) -> Bool { ring.contains(stream) }
}

extension HTTP2CheckHandler {
  func read(_ bytes: inout ByteBuffer, context: ChannelHandlerContext) throws(HTTP2Failure) {
    if prefaceLeft > 0 {
      let skipped = min(prefaceLeft, bytes.readableBytes)
      bytes.moveReaderIndex(forwardBy: skipped)
      prefaceLeft -= skipped
    }
    while phase != .closed, let frame = try HTTP2Frame.next(in: &bytes) {
      try receive(frame, context: context)
    }
  }

  private func receive(
    _ frame: HTTP2Frame, context: ChannelHandlerContext
  ) throws(HTTP2Failure) {
    if !hasSettings || fragments != nil { try checkOrder(of: frame) }
    switch frame.kind {
    case .headers: try receiveHeaders(frame, context: context)
    case .data: try receiveData(frame, context: context)
    case .continuation: try receiveContinuation(frame, context: context)
    case .windowUpdate: try receiveWindowUpdate(frame)
    case .settings: try receiveSettings(frame)
    case .ping: try receivePing(frame, context: context)
    case .reset: try receiveReset(frame, context: context)
    case .priority: try receivePriority(frame)
    case .pushPromise: throw HTTP2Failure(.protocolError)
    case .goAway:
      guard frame.stream == 0 else { throw HTTP2Failure(.protocolError) }
    case nil: try controlFrames.count()
    }
  }

  /// The first frame is SETTINGS; nothing stands between the parts of a header block.
  private func checkOrder(of frame: HTTP2Frame) throws(HTTP2Failure) {
    if !hasSettings {
      guard frame.kind == .settings, !frame.flags.contains(.ack) else {
        throw HTTP2Failure(.protocolError)
      }
      hasSettings = true
    }
    if let fragments {
      guard frame.kind == .continuation, frame.stream == fragments.stream else {
        throw HTTP2Failure(.protocolError)
      }
    }
  }

  private func receiveSettings(_ frame: HTTP2Frame) throws(HTTP2Failure) {
    try controlFrames.count()
    guard frame.stream == 0 else { throw HTTP2Failure(.protocolError) }
    if frame.flags.contains(.ack) {
      guard frame.payload.readableBytes == 0 else { throw HTTP2Failure(.frameSizeError) }
      return
    }
    let change = try peer.apply(frame.payload)
    if change != 0 {
      for stream in Array(streams.keys) {
        let window = (streams[stream]?.sendWindow ?? 0) + change
        guard window <= HTTP2Frame.windowMax else { throw HTTP2Failure(.flowControlError) }
        streams[stream]?.sendWindow = window
        requeue(stream)
      }
    }
    out.writeFrameHeader(.settings, flags: .ack, stream: 0, length: 0)
  }

  private func receivePing(
    _ frame: HTTP2Frame, context: ChannelHandlerContext
  ) throws(HTTP2Failure) {
    try controlFrames.count()
    guard frame.stream == 0 else { throw HTTP2Failure(.protocolError) }
    guard frame.payload.readableBytes == 8,
      let data = frame.payload.getInteger(at: frame.payload.readerIndex, as: UInt64.self)
    else { throw HTTP2Failure(.frameSizeError) }
    if !frame.flags.contains(.ack) {
      out.writePing(data, flags: .ack)
    } else if data == Self.farewell {
      nameLastStream()
      closeIfFinished(context: context)
    }
  }

  private func receivePriority(_ frame: HTTP2Frame) throws(HTTP2Failure) {
    try controlFrames.count()
    guard frame.stream != 0 else { throw HTTP2Failure(.protocolError) }
    guard frame.payload.readableBytes == 5 else {
      try refuse(frame.stream, .frameSizeError)
      return
    }
    let parent = frame.payload.getInteger(at: frame.payload.readerIndex, as: UInt32.self)
    if (parent ?? 0) & 0x7FFF_FFFF == frame.stream { try refuse(frame.stream, .protocolError) }
  }

  private func receiveReset(
    _ frame: HTTP2Frame, context: ChannelHandlerContext
  ) throws(HTTP2Failure) {
    try resets.count()
    guard frame.stream != 0, frame.stream <= lastStream else { throw HTTP2Failure(.protocolError) }
    guard frame.payload.readableBytes == 4 else { throw HTTP2Failure(.frameSizeError) }
    remove(frame.stream)
    closeIfFinished(context: context)
  }

  private func receiveWindowUpdate(_ frame: HTTP2Frame) throws(HTTP2Failure) {
    guard frame.payload.readableBytes == 4,
      let value = frame.payload.getInteger(at: frame.payload.readerIndex, as: UInt32.self)
    else { throw HTTP2Failure(.frameSizeError) }
    let increment = Int(value & 0x7FFF_FFFF)
    if frame.stream == 0 {
      guard increment > 0 else { throw HTTP2Failure(.protocolError) }
      guard sendWindow + increment <= HTTP2Frame.windowMax else {
        throw HTTP2Failure(.flowControlError)
      }
      sendWindow += increment
      return
    }
    guard frame.stream <= lastStream else { throw HTTP2Failure(.protocolError) }
    guard let stream = streams[frame.stream] else { return }
    if increment == 0 {
      try refuse(frame.stream, .protocolError)
    } else if stream.sendWindow + increment > HTTP2Frame.windowMax {
      try refuse(frame.stream, .flowControlError)
    } else {
      streams[frame.stream]?.sendWindow += increment
      requeue(frame.stream)
    }
  }

  /// An error of one stream. RFC 9113, 5.4.2.
  func refuse(_ stream: UInt32, _ code: HTTP2ErrorCode) throws(HTTP2Failure) {
    try streamErrors.count()
    reset(stream, code)
  }

  func reset(_ stream: UInt32, _ code: HTTP2ErrorCode) {
    out.writeReset(stream, code)
    recentlyReset.insert(stream)
    remove(stream)
  }

  func remove(_ stream: UInt32) {
    guard let gone = streams.removeValue(forKey: stream) else { return }
    progress &+= 1
    bufferedBodyBytes -= gone.request.body.readableBytes
    unsentBytes -= gone.unsent?.readableBytes ?? 0
  }
}

import NIOCore
import NIOHPACK

extension HTTP2CheckHandler {
  func receiveHeaders(
    _ frame: HTTP2Frame, context: ChannelHandlerContext
  ) throws(HTTP2Failure) {
    var frame = frame
    guard frame.stream & 1 == 1 else { throw HTTP2Failure(.protocolError) }
    try frame.removePadding()
    if frame.flags.contains(.priority) {
      guard frame.payload.readableBytes >= 5 else { throw HTTP2Failure(.frameSizeError) }
      frame.payload.moveReaderIndex(forwardBy: 5)
    }
    let endsStream = frame.flags.contains(.endStream)
    if frame.flags.contains(.endHeaders) {
      try receive(
        &frame.payload, endsStream: endsStream, on: frame.stream, context: context)
    } else {
      fragments = HeaderFragments(
        stream: frame.stream, endsStream: endsStream, block: frame.payload)
    }
  }

  func receiveContinuation(
    _ frame: HTTP2Frame, context: ChannelHandlerContext
  ) throws(HTTP2Failure) {
    guard var fragments else { throw HTTP2Failure(.protocolError) }
    self.fragments = nil
    fragments.frames += 1
    fragments.block.writeImmutableBuffer(frame.payload)
    guard fragments.frames <= limits.headerFrames,
      fragments.block.readableBytes <= limits.readHeaderListBytes
    else { throw HTTP2Failure(.enhanceYourCalm) }
    if frame.flags.contains(.endHeaders) {
      try receive(
        &fragments.block, endsStream: fragments.endsStream, on: fragments.stream,
        context: context)
    } else {
      self.fragments = fragments
    }
  }

  private func receive(
    _ block: inout ByteBuffer, endsStream: Bool, on stream: UInt32,
    context: ChannelHandlerContext
  ) throws(HTTP2Failure) {
    let headers: HPACKHeaders
    do {
      headers = try decoder.decodeHeaders(from: &block)
    } catch is NIOHPACKErrors.MaxHeaderListSizeViolation {
      throw HTTP2Failure(.enhanceYourCalm)
    } catch {
      throw HTTP2Failure(.compressionError)
    }
    if stream > lastStream {
      lastStream = stream
      if stream <= lastServed {
        try open(headers, endsStream: endsStream, on: stream, context: context)
      }
    } else {
      try receiveTrailers(headers, endsStream: endsStream, on: stream, context: context)
    }
  }

  private func open(
    _ headers: HPACKHeaders, endsStream: Bool, on stream: UInt32,
    context: ChannelHandlerContext
  ) throws(HTTP2Failure) {
    guard let lines = RequestLines(headers) else {
      try refuse(stream, .protocolError)
      return
    }
    guard streams.count < limits.concurrentStreams else {
      // No answer may be given here: RFC 9113, 5.1.2.
      reset(stream, .refusedStream)
      return
    }
    let request = CheckRequest(lines, headers: headers, origin: origin, peer: identity)
    let refusal = refusal(of: lines)
    if endsStream {
      guard (lines.announcedBytes ?? 0) == 0 else {
        try refuse(stream, .protocolError)
        return
      }
      answer(request, refusal, on: stream, context: context)
      return
    }
    streams[stream] = HTTP2Stream(
      request: request, phase: .receiving, isRemoteDone: false,
      receiveWindow: limits.streamWindow, sendWindow: peer.initialWindow,
      bytesToCome: lines.announcedBytes)
    if let refusal {
      finish(stream, with: responder.answer(to: refusal))
    } else if let bytes = lines.announcedBytes, bytes > limits.bodyBytes {
      finish(stream, with: responder.answer(to: .bodyTooLarge))
    } else {
      goOn(request, on: stream)
    }
  }

  private func refusal(of lines: RequestLines) -> CheckRefusal? {
    if lines.listBytes > limits.headerListBytes { return .headersTooLong }
    if unsentBytes > limits.unsentAnswerBytes { return .congested }
    return lines.target.utf8.count > limits.targetBytes ? .targetTooLong : nil
  }

  private func receiveTrailers(
    _ headers: HPACKHeaders, endsStream: Bool, on stream: UInt32,
    context: ChannelHandlerContext
  ) throws(HTTP2Failure) {
    guard let open = streams[stream], !open.isRemoteDone else {
      guard isPassedOver(stream) else { throw HTTP2Failure(.streamClosed) }
      return
    }
    guard endsStream, RequestLines.areTrailers(headers), open.bytesToCome ?? 0 == 0 else {
      try refuse(stream, .protocolError)
      return
    }
    remoteDone(stream, context: context)
  }

  func receiveData(
    _ frame: HTTP2Frame, context: ChannelHandlerContext
  ) throws(HTTP2Failure) {
    var frame = frame
    let counted = frame.payload.readableBytes
    let isLast = frame.flags.contains(.endStream)
    guard frame.stream != 0, frame.stream <= lastStream else { throw HTTP2Failure(.protocolError) }
    try frame.removePadding()
    try openConnectionWindow(after: counted)
    if frame.payload.readableBytes == 0, !isLast { try controlFrames.count() }
    guard streams[frame.stream]?.isRemoteDone == false else {
      if !isPassedOver(frame.stream) { try refuse(frame.stream, .streamClosed) }
      return
    }
    guard streams[frame.stream]?.takeWindow(counted) == true else {
      try refuse(frame.stream, .flowControlError)
      return
    }
    let bytes = frame.payload.readableBytes
    guard streams[frame.stream]?.counts(bytes, isLast: isLast) == true else {
      try refuse(frame.stream, .protocolError)
      return
    }
    take(frame.payload, on: frame.stream)
    if isLast {
      remoteDone(frame.stream, context: context)
    } else {
      openStreamWindow(frame.stream)
    }
  }

  /// What crossed our reset or our farewell is no mistake of the peer.
  private func isPassedOver(_ stream: UInt32) -> Bool {
    stream > lastServed || recentlyReset.contains(stream)
  }

  private func take(_ bytes: ByteBuffer, on stream: UInt32) {
    let count = bytes.readableBytes
    guard streams[stream]?.phase == .receiving else {
      streams[stream]?.droppedBytes += count
      dropEnough(stream)
      return
    }
    let held = streams[stream]?.request.body.readableBytes ?? 0
    guard held + count <= limits.bodyBytes else {
      finish(stream, with: responder.answer(to: .bodyTooLarge))
      return
    }
    guard bufferedBodyBytes + count <= limits.bufferedBodyBytes else {
      finish(stream, with: responder.answer(to: .congested))
      return
    }
    progress &+= 1
    bufferedBodyBytes += count
    // In place, with no copy of the request held, or the whole body would be copied here.
    streams[stream]?.request.body.writeImmutableBuffer(bytes)
  }

  /// The peer has sent all: now the request is answered, unless it was refused before.
  private func remoteDone(_ stream: UInt32, context: ChannelHandlerContext) {
    guard var open = streams[stream] else { return }
    open.isRemoteDone = true
    bufferedBodyBytes -= open.request.body.readableBytes
    let request = open.request
    open.request.body = ByteBuffer()
    streams[stream] = open
    if open.phase == .receiving {
      respond(to: request, on: stream, context: context)
    } else {
      removeIfDone(stream)
      closeIfFinished(context: context)
    }
  }

  /// The peer goes on sending what was refused: end it once the answer is out. RFC 9113, 8.1.
  func dropEnough(_ stream: UInt32) {
    guard let open = streams[stream], open.isLocalDone, !open.isRemoteDone else { return }
    if open.droppedBytes > limits.droppedBodyBytes { reset(stream, .none) }
  }

  private func openConnectionWindow(after count: Int) throws(HTTP2Failure) {
    guard count <= receiveWindow else { throw HTTP2Failure(.flowControlError) }
    receiveWindow -= count
    let whole = limits.connectionWindow
    guard receiveWindow < whole / 2 else { return }
    out.writeWindowUpdate(0, increment: whole - receiveWindow)
    receiveWindow = whole
  }

  private func openStreamWindow(_ stream: UInt32) {
    let whole = limits.streamWindow
    guard let left = streams[stream]?.receiveWindow, left < whole / 2 else { return }
    out.writeWindowUpdate(stream, increment: whole - left)
    streams[stream]?.receiveWindow = whole
  }
}

import NIOCore

extension HTTP2CheckHandler {
  /// Answers a request without a body; `refusal` where it need not be asked about.
  func answer(
    _ request: CheckRequest, _ refusal: CheckRefusal?, on stream: UInt32,
    context: ChannelHandlerContext
  ) {
    let reply =
      refusal.map { .now(responder.answer(to: $0)) }
      ?? responder.respond(to: request, on: context.eventLoop)
    let isHead = request.method == "HEAD"
    if case .now(let response) = reply, fits(response, isHead: isHead) {
      write(response, isWhole: true, isHead: isHead, on: stream)
      progress &+= 1
      return
    }
    streams[stream] = HTTP2Stream(
      request: request, phase: .receiving, isRemoteDone: true,
      receiveWindow: 0, sendWindow: peer.initialWindow)
    follow(reply, on: stream, context: context)
  }

  func respond(to request: CheckRequest, on stream: UInt32, context: ChannelHandlerContext) {
    follow(
      responder.respond(to: request, on: context.eventLoop), on: stream, context: context)
  }

  private func follow(
    _ reply: CheckReply, on stream: UInt32, context: ChannelHandlerContext
  ) {
    switch reply {
    case .now(let response):
      finish(stream, with: response)
    case .later(let future):
      streams[stream]?.phase = .awaiting
      streams[stream]?.awaitingSince = .now()
      let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      future.hop(to: context.eventLoop).whenComplete { result in
        let (handler, context) = bound.value
        handler.came(result, on: stream, context: context)
      }
    }
  }

  private func came(
    _ result: Result<CheckResponse, any Error>, on stream: UInt32, context: ChannelHandlerContext
  ) {
    // The peer may have reset the stream, or the connection may be gone.
    guard phase != .closed, streams[stream]?.phase == .awaiting else { return }
    updateDate()
    switch result {
    case .success(let response): finish(stream, with: response)
    case .failure: finish(stream, with: responder.answer(to: .failed))
    }
    send(context: context)
  }

  /// Gives the answer of a stream that is in the table.
  func finish(_ stream: UInt32, with response: CheckResponse) {
    guard let open = streams[stream] else { return }
    bufferedBodyBytes -= open.request.body.readableBytes
    streams[stream]?.request.body = ByteBuffer()
    streams[stream]?.phase = .answered
    write(response, isWhole: false, isHead: open.isHead, on: stream)
    if !open.isHead, response.body.readableBytes > 0 {
      streams[stream]?.unsent = response.body
      unsentBytes += response.body.readableBytes
      requeue(stream)
    }
    removeIfDone(stream)
  }

  func removeIfDone(_ stream: UInt32) {
    guard let open = streams[stream], open.isLocalDone else { return }
    if open.isRemoteDone {
      remove(stream)
    } else {
      dropEnough(stream)
    }
  }

  /// Whether an answer can go out at once, with nothing before it in the queue.
  private func fits(_ response: CheckResponse, isHead: Bool) -> Bool {
    let count = isHead ? 0 : response.body.readableBytes
    return sendQueue.isEmpty && count <= HTTP2Frame.payloadBytesMax
      && count <= sendWindow && count <= peer.initialWindow
      && out.readableBytes <= limits.unwrittenBytes
  }

  /// Writes the header block, and the body with it where `isWhole`.
  private func write(
    _ response: CheckResponse, isWhole: Bool, isHead: Bool, on stream: UInt32
  ) {
    let count = isHead ? 0 : response.body.readableBytes
    let flags: FrameFlags = count == 0 ? [.endHeaders, .endStream] : .endHeaders
    writeBlock(response.http2Block, dateBlock, flags: flags, on: stream)
    guard isWhole, count > 0 else { return }
    out.writeFrameHeader(.data, flags: .endStream, stream: stream, length: count)
    out.writeImmutableBuffer(response.body)
    sendWindow -= count
  }

  private func writeBlock(
    _ lines: [UInt8], _ more: [UInt8], flags: FrameFlags, on stream: UInt32
  ) {
    let prefix = hasSentBlock ? 0 : 1
    out.writeFrameHeader(
      .headers, flags: flags, stream: stream, length: prefix + lines.count + more.count)
    if !hasSentBlock {
      hasSentBlock = true
      out.writeInteger(HeaderBlock.noTable)
    }
    out.writeBytes(lines)
    out.writeBytes(more)
  }

  /// A peer that waits for leave to send its body gets it. RFC 9110, 10.1.1.
  func goOn(_ request: CheckRequest, on stream: UInt32) {
    guard request.header("expect")?.lowercased() == "100-continue" else { return }
    writeBlock(Self.goOn.bytes, [], flags: .endHeaders, on: stream)
  }

  private static let goOn = HeaderBlock(status: 100)
}

// MARK: - Sending

extension HTTP2CheckHandler {
  /// Puts a stream in the queue that can send something and is not in it.
  func requeue(_ stream: UInt32) {
    guard let open = streams[stream], open.unsent != nil, open.sendWindow > 0 else { return }
    if !sendQueue.contains(stream) { sendQueue.append(stream) }
  }

  /// Sends what is written and as much of the queued answers as the windows and the socket take.
  func send(context: ChannelHandlerContext) {
    repeat {
      while sendWindow > 0, out.readableBytes < limits.unwrittenBytes, context.channel.isWritable,
        let stream = sendQueue.popFirst()
      {
        sendPart(of: stream)
      }
      flush(context: context)
    } while sendWindow > 0 && context.channel.isWritable && !sendQueue.isEmpty
    closeIfFinished(context: context)
  }

  private func sendPart(of stream: UInt32) {
    guard let open = streams[stream], var rest = open.unsent else { return }
    let count = min(
      rest.readableBytes, open.sendWindow, sendWindow, HTTP2Frame.payloadBytesMax)
    guard count > 0, let part = rest.readSlice(length: count) else { return }
    let isLast = rest.readableBytes == 0
    out.writeFrameHeader(.data, flags: isLast ? .endStream : [], stream: stream, length: count)
    out.writeImmutableBuffer(part)
    progress &+= 1
    sendWindow -= count
    unsentBytes -= count
    streams[stream]?.sendWindow -= count
    streams[stream]?.unsent = isLast ? nil : rest
    if isLast {
      removeIfDone(stream)
    } else {
      requeue(stream)
    }
  }

  func flush(context: ChannelHandlerContext) {
    guard out.readableBytes > 0 else { return }
    // Writing may call back into this handler, which must find an empty buffer then.
    var bytes = ByteBuffer()
    swap(&bytes, &out)
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    guard out.readableBytes == 0 else { return }
    // By now the socket has usually taken the bytes: then the storage is used again.
    bytes.clear()
    out = bytes
  }
}

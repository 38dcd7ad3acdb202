package import NIOCore
import NIOHTTP1

/// An answer. Made once and kept, it costs nothing to give again.
package struct CheckResponse: Sendable {
  /// What both protocols send for this answer.
  private final class Form: Sendable {
    let http2: HeaderBlock
    let http1: HTTPHeaders

    init(http2: HeaderBlock, http1: HTTPHeaders) {
      self.http2 = http2
      self.http1 = http1
    }
  }

  package let status: Int
  package let body: ByteBuffer
  private let form: Form

  /// - Parameter headers: further lines, their names in lower case.
  package init(
    status: Int, contentType: String, body: ByteBuffer, headers: [(String, String)] = []
  ) {
    var lines: [(String, String)] = []
    if body.readableBytes > 0 { lines.append(("content-type", contentType)) }
    lines.append(("content-length", String(body.readableBytes)))
    lines += headers
    self.status = status
    self.body = body
    var block = HeaderBlock(status: status)
    for (name, value) in lines { block.add(name, value) }
    assert(block.bytes.count < 8_192, "a header block that one frame cannot hold")
    form = Form(http2: block, http1: HTTPHeaders(lines))
  }

  /// Without a body.
  package init(status: Int, headers: [(String, String)] = []) {
    self.init(status: status, contentType: "", body: ByteBuffer(), headers: headers)
  }

  var http2Block: [UInt8] { form.http2.bytes }
  var http1Headers: HTTPHeaders { form.http1 }
}

import DeviceLists
import ExchangeTrust
import HTTPTypes
import Hummingbird
import ListExchange

/// `GET /exchange/v1/snapshot`.
extension ExchangeRoutes {
  @Sendable func snapshot(_ asked: NodeRequest) async throws -> Response {
    let after = try asked.parameter("after")
    guard let position = UInt64(after ?? "0"), position <= Position.last.number else {
      throw ExchangeError(.badRequest, "the parameter \"after\" is unusable")
    }
    let (node, range) = (asked.node, asked.request.headers[.range])
    if let range, let tag = asked.resumedTag,
      let cut = await services.shelf.cut(of: node.feed, tag: tag, asOf: .now)
    {
      return try answer(cut, range: range, to: asked)
    }
    // A node that is ahead of the registry, after a restore, takes what there is.
    let reached = services.lists.position ?? .start
    let cut = try await services.shelf.cut(
      of: node.feed, number: node.scope, notBelow: min(Position(position), reached), asOf: .now)
    // A condition that names another file means: then the whole.
    let isResumable = asked.request.headers[.ifRange] == nil || asked.resumedTag == cut.tag
    return try answer(cut, range: isResumable ? range : nil, to: asked)
  }

  private func answer(
    _ cut: SnapshotCut, range header: String?, to asked: NodeRequest
  ) throws -> Response {
    var headers: HTTPFields = [
      .contentType: ExchangePath.index, .eTag: "\"\(cut.tag)\"", .acceptRanges: "bytes",
    ]
    switch ByteRange(header, of: cut.byteCount) {
    case .whole:
      return Response(
        status: .ok, headers: headers, body: body(cut, 0..<cut.byteCount, to: asked))
    case .part(let part):
      headers[.contentRange] =
        "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(cut.byteCount)"
      return Response(
        status: .partialContent, headers: headers, body: body(cut, part, to: asked))
    case .unsatisfiable:
      throw ExchangeProblemError(
        ExchangeError(.rangeNotSatisfiable, "the file has \(cut.byteCount) bytes"),
        .contentRange, "bytes */\(cut.byteCount)")
    }
  }

  private func body(
    _ cut: SnapshotCut, _ part: Range<Int>, to asked: NodeRequest
  ) -> ResponseBody {
    let lists = services.lists
    let patient = PatientWriter(for: asked, of: services)
    return ResponseBody(contentLength: part.count) { writer in
      var reader = writer
      try await patient.watched {
        var place = part.lowerBound
        while place < part.upperBound {
          let from = place
          let count = min(PatientWriter.pieceBytes, part.upperBound - place)
          let piece = try await lists.blocking { try cut.piece(at: from, count: count) }
          guard piece.readableBytes > 0 else {
            throw ExchangeError(.internalFailure, "the snapshot ends too early")
          }
          place += piece.readableBytes
          try await patient.write(piece, to: &reader)
        }
      }
      services.metrics.snapshots.add()
      try await reader.finish(nil)
    }
  }
}

extension NodeRequest {
  /// The tag of an `If-Range` header; nil where it is absent or a date.
  fileprivate var resumedTag: String? {
    guard let header = request.headers[.ifRange], header.count == 66, header.first == "\"",
      header.last == "\""
    else { return nil }
    return String(header.dropFirst().dropLast())
  }
}

import DeviceLists
import ExchangeTrust
import HTTPTypes
import Hummingbird
import ListExchange
import RegistryStore
import X509

/// Messages that change something: done once, however often they come.
extension ExchangeRoutes {
  /// Does what a message asks in one transaction with the keeping of its answer. The same message
  /// under the same key gets the same answer again; another message gets a refusal. What fails
  /// leaves nothing behind, and its key is free.
  private func once(
    _ asked: NodeRequest, _ body: [UInt8], isLong: Bool = false,
    _ act: (RegistryTransaction) async throws -> KeptAnswer
  ) async throws -> Response {
    let key = try IdempotencyKey(header: asked.request.headers[.idempotencyKey])
    let hash = IdempotencyKey.messageHash(
      method: asked.request.method.rawValue, path: asked.request.uri.path, body: body)
    let (answer, isRepeated) = try await services.allowances.working(for: asked.identity) {
      try await services.messages.write(isLong: isLong) { registry -> (KeptAnswer, Bool) in
        switch try await registry.answered(key.description, of: asked.identity, hash: hash.bytes) {
        case .answered(let kept): return (kept, true)
        case .otherMessage: throw ExchangeError(.keyReused)
        case .new:
          // A repetition costs nobody an allowance: it changes nothing.
          try services.allowances.takeMessage(from: asked.identity)
          let answer = try await act(registry)
          try await registry.remember(answer, key: key.description, of: asked.identity)
          return (answer, false)
        }
      }
    }
    if isRepeated { services.metrics.repeatedMessages.add() }
    return Self.response(answer, isRepeated: isRepeated)
  }

  /// What is kept of an acknowledgement that names another list than the registry's.
  private static let differs = ExchangeCode.digestDiffers.httpStatus

  private static func response(_ answer: KeptAnswer, isRepeated: Bool) -> Response {
    var headers: HTTPFields = [:]
    headers[.contentType] = answer.contentType
    headers[.location] = answer.location
    if isRepeated { headers[.idempotencyReplayed] = "true" }
    return Response(
      status: .init(code: answer.status), headers: headers,
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
  }

  private static func json(
    _ body: [UInt8], status: Int = 200, location: String? = nil
  ) -> KeptAnswer {
    KeptAnswer(status: status, contentType: ExchangePath.json, location: location, body: body)
  }
}

// MARK: - Where a node stands, and how it is told

extension ExchangeRoutes {
  @Sendable func acknowledge(_ asked: NodeRequest) async throws -> Response {
    let body = try await asked.body(
      ExchangePath.json, upTo: ExchangeLimits.longestDocumentBytes)
    let said = try Acknowledgement(json: body)
    let standing = said.standing
    let response = try await once(asked, body) { registry in
      let comparison = try await registry.acknowledge(
        of: asked.identity, epoch: standing.epoch, position: standing.position,
        digest: standing.digest, held: said.held)
      // Where the node stands is kept either way: its difference is for the staff to see.
      return KeptAnswer(status: comparison == .differs ? Self.differs : 204)
    }
    let differs = response.status.code == Self.differs
    services.roster.noteComparison(of: asked.identity, differs: differs)
    // Also where it differs: whoever pushes to the node then sends it a snapshot.
    services.acknowledgements.tell(said, of: asked.identity)
    guard !differs else {
      throw ExchangeError(.digestDiffers, "at position \(standing.position)")
    }
    return response
  }

  @Sendable func parameters(_ asked: NodeRequest) async throws -> Response {
    let found = try await services.store.read { try await $0.parameters(of: asked.identity) }
    return asked.json(
      ParametersAnswer(
        inForce: try found.inForce.map(ExchangeParameters.init) ?? ExchangeParameters(),
        proposed: try found.proposed.map(ExchangeParameters.init)
      ).json)
  }

  @Sendable func confirmParameters(_ asked: NodeRequest) async throws -> Response {
    let body = try await asked.body(
      ExchangePath.json, upTo: ExchangeLimits.longestDocumentBytes)
    let confirmation = try ParametersConfirmation(json: body)
    return try await once(asked, body) { registry in
      try await registry.confirmParameters(confirmation.version, of: asked.identity)
      return Self.json(confirmation.confirmed)
    }
  }

  @Sendable func resendFile(_ asked: NodeRequest) async throws -> Response {
    let body = try await asked.body(
      ExchangePath.json, upTo: ExchangeLimits.longestDocumentBytes)
    let wanted = try ResendRequest(json: body)
    return try await once(asked, body) { registry in
      let isKnown = try await registry.requestResend(
        of: asked.identity.operatorCode, number: Int64(clamping: wanted.number))
      guard isKnown else {
        throw ExchangeError(.notFound, "there is no file \(wanted.number)")
      }
      return KeptAnswer(status: 202)
    }
  }

  @Sendable func issueCertificate(_ asked: NodeRequest) async throws -> Response {
    let body = try await asked.body(
      ExchangePath.certificateRequest, upTo: CertificateDesk.longestRequest)
    return try await once(asked, body) { registry in
      let chain = try await services.authority.issue(body, to: asked.node.role, asOf: .now)
      guard let leaf = chain.first else { throw ExchangeError(.internalFailure) }
      try await registry.recordRenewal(
        serial: leaf.serial.description, of: asked.identity,
        by: asked.context.peer.serial.description, notBefore: leaf.validFrom,
        notAfter: leaf.validUntil)
      return KeptAnswer(
        status: 201, contentType: ExchangePath.certificateChain,
        body: Array(try chain.map { try $0.pemText() }.joined().utf8))
    }
  }
}

// MARK: - Questions that are answered later

extension ExchangeRoutes {
  @Sendable func ask(_ asked: NodeRequest) async throws -> Response {
    let body = try await asked.body(
      ExchangePath.json, upTo: ExchangeLimits.longestQueriesBytes)
    try LUStatusRequest(json: body, most: ExchangeLimits.mostQueries)
      .refuseTimes(aheadOf: .now)
    return try await once(asked, body) { registry in
      let name = try await registry.insertQuery(body, of: asked.identity)
      guard let id = QueryID(name) else { throw ExchangeError(.internalFailure) }
      return Self.json(
        QueryAnswer.json(id, answer: nil), status: 202, location: "\(ExchangePath.queries)/\(id)")
    }
  }

  @Sendable func query(_ asked: NodeRequest) async throws -> Response {
    guard let id = asked.context.parameters.get("id").flatMap({ QueryID($0) }) else {
      throw ExchangeError(.notFound)
    }
    let found = try await services.store.read {
      try await $0.query(id.description, of: asked.identity)
    }
    switch found {
    case nil: throw ExchangeError(.notFound)
    case .pending: return asked.json(QueryAnswer.json(id, answer: nil))
    case .answered(let answer): return asked.json(QueryAnswer.json(id, answer: answer))
    case .refused(let code):
      throw ExchangeError(ExchangeCode(rawValue: UInt16(clamping: code)) ?? .internalFailure)
    }
  }
}

// MARK: - What operators tell and ask

extension ExchangeRoutes {
  @Sendable func takeSightings(_ asked: NodeRequest) async throws -> Response {
    let body = try await asked.body(
      ExchangePath.ndjson, upTo: ExchangeLimits.longestSightingsBytes)
    let sightings = try Sighting.lines(body)
    let now = Instant.now
    return try await once(asked, body) { registry in
      let (taken, repeated) = try await registry.takeSightings(
        sightings.map(NewSighting.init), of: asked.identity, asOf: now)
      services.metrics.sightings.add(Int64(taken))
      return Self.json(SightingsAnswer(taken: taken, repeated: repeated).json)
    }
  }

  @Sendable func submitRequest(_ asked: NodeRequest) async throws -> Response {
    let body = try await asked.body(
      ExchangePath.json, upTo: ExchangeLimits.longestDocumentBytes)
    let wanted = try DeviceRequest(json: body)
    return try await once(asked, body) { registry in
      let recorded = try await registry.submit(NewDeviceRequest(wanted), of: asked.identity)
      let answer = try DeviceRequestAnswer(recorded)
      return Self.json(
        answer.json, status: 201, location: "\(ExchangePath.requests)/\(answer.request)")
    }
  }

  @Sendable func request(_ asked: NodeRequest) async throws -> Response {
    guard let id = asked.context.parameters.get("id").flatMap({ DeviceRequestID($0) }) else {
      throw ExchangeError(.notFound)
    }
    let found = try await services.store.write {
      try await $0.request(id.description, of: asked.identity.operatorNumber)
    }
    guard let found else { throw ExchangeError(.notFound) }
    return asked.json(try DeviceRequestAnswer(found).json)
  }

  @Sendable func requests(_ asked: NodeRequest) async throws -> Response {
    var state: RecordedRequest.State?
    if let word = try asked.parameter("state") {
      state = RecordedRequest.State(rawValue: word)
      guard state != nil else {
        throw ExchangeError(.badRequest, "the parameter \"state\" is unusable")
      }
    }
    var after: DeviceRequestID?
    if let text = try asked.parameter("after") {
      after = DeviceRequestID(text)
      guard after != nil else {
        throw ExchangeError(.badRequest, "the parameter \"after\" is unusable")
      }
    }
    let (wanted, cursor, most) = (state, after, ExchangeLimits.mostRequestsShown)
    let found = try await services.store.write {
      try await $0.requests(
        of: asked.identity.operatorNumber, state: wanted, after: cursor?.description,
        limit: most + 1)
    }
    let shown = try found.prefix(most).map(DeviceRequestAnswer.init)
    return asked.json(
      DeviceRequestList(
        requests: shown, next: found.count > most ? shown.last?.request : nil
      ).json)
  }

  @Sendable func replaceOwnList(_ asked: NodeRequest) async throws -> Response {
    let body = try await asked.body(
      ExchangePath.ndjson, upTo: ExchangeLimits.longestOwnListBytes)
    var lines = try OwnListEntry.lines(body).map(OwnListLine.init).makeIterator()
    return try await once(asked, body, isLong: true) { registry in
      Self.json(
        try OwnListAnswer(
          await registry.replaceOwnList(of: asked.identity) { lines.next() }
        ).json)
    }
  }

  @Sendable func changeOwnList(_ asked: NodeRequest) async throws -> Response {
    let body = try await asked.body(
      ExchangePath.ndjson, upTo: ExchangeLimits.longestOwnListBytes)
    var lines = try OwnListChange.lines(body).map(OwnListLine.init).makeIterator()
    return try await once(asked, body, isLong: true) { registry in
      Self.json(
        try OwnListAnswer(
          await registry.changeOwnList(of: asked.identity) { lines.next() }
        ).json)
    }
  }
}

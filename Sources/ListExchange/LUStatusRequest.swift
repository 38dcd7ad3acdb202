package import DeviceIdentity
package import DeviceLists

/// One question: what is the status of this device, perhaps with this subscriber?
///
/// Personal data: it has no description, so that it cannot reach a log by accident.
package struct LUStatusQuery: Hashable, Sendable {
  package var identity: ReportedIdentity
  package var imsi: IMSI?
  package var msisdn: MSISDN?
  /// The network that the subscriber is in.
  package var network: PLMN?
  /// When the network asked the node.
  package var askedAt: Instant?

  package init(
    _ identity: ReportedIdentity, imsi: IMSI? = nil, msisdn: MSISDN? = nil,
    network: PLMN? = nil, askedAt: Instant? = nil
  ) {
    self.identity = identity
    self.imsi = imsi
    self.msisdn = msisdn
    self.network = network
    self.askedAt = askedAt
  }

  /// What ``DecisionEngine`` is asked.
  package var check: CheckQuery { CheckQuery(identity: identity.checked, imsi: imsi) }
}

extension LUStatusQuery: CustomReflectable {
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension LUStatusQuery: JSONRequest {
  package func write(into text: inout JSONText) {
    text.member("imei", identity.text)
    if let imsi { text.member("imsi", imsi.digits) }
    if let msisdn { text.member("msisdn", msisdn.digits) }
    if let network { text.member("network", network.prefix.digits) }
    if let askedAt { text.member("askedAt", askedAt.description) }
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    identity = try object.askedIdentity("imei")
    imsi = try object.imsi("imsi")
    msisdn = try object.msisdn("msisdn")
    network = try object.optional("network") { text in
      text.utf8.contains(UInt8(ascii: "-")) ? nil : try? PLMN(text)
    }
    askedAt = try object.optional("askedAt") { Instant($0) }
  }
}

/// `POST /exchange/v1/lu-status` and `POST /exchange/v1/queries`.
package struct LUStatusRequest: Hashable, Sendable {
  package var queries: [LUStatusQuery]
  /// Asked as many, so that one is answered as many, too.
  package var isMany: Bool

  package init(_ query: LUStatusQuery) {
    queries = [query]
    isMany = false
  }

  package init(many queries: [LUStatusQuery]) {
    self.queries = queries
    isMany = true
  }

  package var json: [UInt8] {
    if !isMany, let query = queries.first { return query.json }
    var text = JSONText()
    text.open()
    text.array("queries", queries)
    text.close()
    return text.bytes
  }

  /// A time that lies too far ahead of `now` refuses the whole.
  package func refuseTimes(aheadOf now: Instant) throws(ExchangeError) {
    for query in queries { try query.askedAt?.refuse(aheadOf: now, as: "askedAt") }
  }
}

// MARK: - Reading

extension LUStatusRequest {
  /// Reads one question or many. Those in the form that nodes write are read without the memory
  /// that JSON takes; the result is the same.
  ///
  /// - Parameter most: ``ExchangeLimits/mostQueriesAtOnce`` or ``ExchangeLimits/mostQueries``.
  package init(
    _ bytes: UnsafeRawBufferPointer, most: Int = ExchangeLimits.mostQueriesAtOnce
  ) throws(ExchangeError) {
    do throws(ExchangeError) {
      try self.init(reading: bytes, most: most)
    } catch {
      throw error.code == .malformed ? ExchangeError(.badRequest, error.detail) : error
    }
  }

  package init(
    json bytes: [UInt8], most: Int = ExchangeLimits.mostQueriesAtOnce
  ) throws(ExchangeError) {
    self = try bytes.withUnsafeBytes { bytes in
      Result { () throws(ExchangeError) in try LUStatusRequest(bytes, most: most) }
    }.get()
  }

  private init(reading bytes: UnsafeRawBufferPointer, most: Int) throws(ExchangeError) {
    var place = 0
    if let query = LUStatusQuery(usual: bytes, at: &place), place == bytes.count {
      self.init(query)
      return
    }
    var reader = JSONReader(bytes)
    var many: [LUStatusQuery]?
    var members: [JSONValue.Member] = []
    try reader.members { (reader, name) throws(ExchangeError) in
      guard name == "queries" else {
        members.append(JSONValue.Member(name: name, value: try reader.value()))
        return
      }
      many = try Self.queries(&reader, most: most)
    }
    try reader.end()
    if let many {
      self.init(many: many)
    } else {
      self.init(try LUStatusQuery(.object(members)))
    }
  }

  private static func queries(
    _ reader: inout JSONReader, most: Int
  ) throws(ExchangeError) -> [LUStatusQuery] {
    var queries: [LUStatusQuery] = []
    queries.reserveCapacity(min(most, (reader.bytes.count - reader.place) / shortestQueryBytes))
    try reader.elements { (reader) throws(ExchangeError) in
      guard queries.count < most else { throw ExchangeError(.tooLarge, "over \(most) queries") }
      if let query = LUStatusQuery(usual: reader.bytes, at: &reader.place) {
        queries.append(query)
        return
      }
      let value = try reader.value()
      do throws(ExchangeError) {
        queries.append(try LUStatusQuery(value))
      } catch {
        throw ExchangeError(error.code, "query \(queries.count + 1): \(error.detail)")
      }
    }
    guard !queries.isEmpty else { throw ExchangeError(.malformed, "no queries") }
    return queries
  }

  /// `{"imei":"49015420323751"},`
  private static let shortestQueryBytes = 26
}

extension LUStatusQuery {
  /// `{"imei":"…"}` or `{"imei":"…","imsi":"…"}`, digits only; nil, and `place` where it was, for
  /// every other spelling.
  init?(usual bytes: UnsafeRawBufferPointer, at place: inout Int) {
    var scan = Scan(bytes, at: place)
    guard scan.take("{\"imei\":\""), let (number, count) = scan.digits(14...16) else { return nil }
    var imsi: IMSI?
    if scan.take("\",\"imsi\":\"") {
      guard let (number, count) = scan.digits(IMSI.lengths) else { return nil }
      imsi = IMSI(packed: UInt64(count) * 1_000_000_000_000_000 + number)
    }
    guard scan.take("\"}") else { return nil }
    let device =
      switch count {
      case 14: IMEISV(imei: IMEI(unchecked: number))
      case 15: IMEISV(imei: IMEI(unchecked: number / 10))
      default:
        IMEISV(imei: IMEI(unchecked: number / 100), softwareVersion: UInt8(number % 100))
      }
    self.init(.device(device), imsi: imsi)
    place = scan.place
  }
}

extension Instant {
  /// A clock that is further ahead than ``ExchangeLimits/longestAheadSeconds`` is wrong.
  package func refuse(aheadOf now: Instant, as name: String) throws(ExchangeError) {
    guard seconds(since: now) <= ExchangeLimits.longestAheadSeconds else {
      throw ExchangeError(.wrongTime, "\"\(name)\" is \(seconds(since: now)) seconds ahead")
    }
  }
}

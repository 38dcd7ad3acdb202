import DeviceIdentity
import DeviceLists
import ListExchange
import RegistryStore

/// What a node's file does to the registry, within the transaction that notes its number.
struct InboundEffects {
  struct Outcome: Sendable {
    /// Lines.
    var taken = 0
    var refusals: [LineRefusal] = []
  }

  let registry: RegistryTransaction
  let node: NodeIdentity
  let now: Instant

  func apply(
    _ rows: [InboundFileReader.Row], of kind: InboundName.Kind
  ) async throws -> Outcome {
    var outcome = Outcome()
    var records: [(line: Int, record: InboundRecord)] = []
    for row in rows {
      switch row {
      case .record(let line, let record): records.append((line, record))
      case .refusal(let refusal): outcome.refusals.append(refusal)
      }
    }
    switch kind {
    case .requests, .resend: try await applyEach(records, to: &outcome)
    case .ownFull, .ownDelta: try await applyOwnList(records, kind, to: &outcome)
    case .sightings: try await applySightings(records, to: &outcome)
    case .acknowledgement: try await applyAcknowledgements(records, to: &outcome)
    }
    outcome.refusals.sort { $0.line < $1.line }
    return outcome
  }

  // MARK: Lines by themselves

  private func applyEach(
    _ records: [(line: Int, record: InboundRecord)], to outcome: inout Outcome
  ) async throws {
    // What the day has no room for is not asked about line by line.
    var isDayFull = false
    for (line, record) in records {
      if isDayFull, case .request = record {
        outcome.refusals.append(LineRefusal(line: line, .dailyLimit))
      } else if let refusal = try await refusal(of: record, line: line) {
        isDayFull = refusal.code == .dailyLimit
        outcome.refusals.append(refusal)
      } else {
        outcome.taken += 1
      }
    }
  }

  private func refusal(of record: InboundRecord, line: Int) async throws -> LineRefusal? {
    switch record {
    case .resend(let number):
      let isKnown = try await registry.requestResend(
        of: node.operatorCode, number: Int64(number.number))
      return isKnown ? nil : LineRefusal(line: line, .noSuchFile)
    case .request(let request): return try await refusal(of: request, line: line)
    case .entry, .change, .sighting, .acknowledgement: return LineRefusal(line: line, .invalid)
    }
  }

  private func refusal(of request: DeviceRequest, line: Int) async throws -> LineRefusal? {
    let new = NewDeviceRequest(
      kind: request.kind == .block ? .block : .unblock, imei: request.imei, imsi: request.imsi,
      reason: request.reason, caseReference: request.caseReference ?? "")
    do {
      let recorded = try await registry.submit(new, of: node)
      guard recorded.state == .refused else { return nil }
      return LineRefusal(
        line: line, request.kind == .unblock ? .notThere : .notAllowed, recorded.refusal ?? "")
    } catch let error as StoreError {
      switch error.code {
      case .policyForbids: return LineRefusal(line: line, .notAllowed)
      case .dailyLimit: return LineRefusal(line: line, .dailyLimit)
      default: throw error
      }
    }
  }

  // MARK: Lines together

  private func applyOwnList(
    _ records: [(line: Int, record: InboundRecord)], _ kind: InboundName.Kind,
    to outcome: inout Outcome
  ) async throws {
    var lines = records.compactMap { Self.ownListLine($0.record) }.makeIterator()
    let result =
      kind == .ownFull
      ? try await registry.replaceOwnList(of: node) { lines.next() }
      : try await registry.changeOwnList(of: node) { lines.next() }
    let (present, missing) = (Set(result.present), Set(result.missing))
    for (line, record) in records {
      guard case .change(let change) = record else {
        outcome.taken += 1
        continue
      }
      switch change.operation {
      case .add where present.contains(change.entry.imei):
        outcome.refusals.append(LineRefusal(line: line, .alreadyThere))
      case .remove where missing.contains(change.entry.imei):
        outcome.refusals.append(LineRefusal(line: line, .notThere))
      case .add, .remove: outcome.taken += 1
      }
    }
  }

  private static func ownListLine(_ record: InboundRecord) -> OwnListLine? {
    func line(_ operation: OwnListLine.Operation, _ entry: OwnListEntry) -> OwnListLine {
      OwnListLine(
        operation, entry.imei, reason: entry.reason ?? "",
        caseReference: entry.caseReference ?? "")
    }
    switch record {
    case .entry(let entry): return line(.add, entry)
    case .change(let change): return line(change.operation == .add ? .add : .remove, change.entry)
    case .request, .sighting, .resend, .acknowledgement: return nil
    }
  }

  private func applySightings(
    _ records: [(line: Int, record: InboundRecord)], to outcome: inout Outcome
  ) async throws {
    var sightings: [NewSighting] = []
    for (line, record) in records {
      guard case .sighting(let sighting) = record else { continue }
      let age = now.seconds(since: sighting.seenAt)
      let allowed =
        -RegistryTransaction.clockSkewSeconds...RegistryTransaction.oldestSightingSeconds
      guard allowed.contains(age) else {
        outcome.refusals.append(
          LineRefusal(line: line, .invalid, "seenAt is too far from the registry's time"))
        continue
      }
      sightings.append(NewSighting(sighting))
    }
    outcome.taken += sightings.count
    let most = RegistryTransaction.mostSightings
    for start in stride(from: 0, to: sightings.count, by: most) {
      let part = Array(sightings[start..<min(start + most, sightings.count)])
      _ = try await registry.takeSightings(part, of: node, asOf: now)
    }
  }

  private func applyAcknowledgements(
    _ records: [(line: Int, record: InboundRecord)], to outcome: inout Outcome
  ) async throws {
    outcome.taken += records.count
    guard case .acknowledgement(let last)? = records.last?.record else { return }
    _ = try await registry.acknowledge(
      of: node, epoch: last.standing.epoch, position: last.standing.position,
      digest: last.standing.digest, held: last.held)
  }
}

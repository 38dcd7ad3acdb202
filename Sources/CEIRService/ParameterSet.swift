import DeviceLists
import HTTPTypes
package import ListExchange
package import RegistryStore

/// Parameters as the staff see and set them. What is left out is as usual.
package struct ParameterSet: Codable, Sendable {
  struct Window: Codable, Sendable {
    let changes: Int
    let seconds: Int
  }

  struct Files: Codable, Sendable {
    let compression: String
    let fullSeconds: Int
    let incrementalSeconds: Int
  }

  struct Sightings: Codable, Sendable {
    let send: String
    let oneIn: Int
  }

  let style: String
  let effectiveAfter: UInt64?
  let endpoint: String?
  let window: Window?
  let files: Files?
  let sightings: Sightings?

  package init(_ parameters: ExchangeParameters) {
    style = parameters.style.rawValue
    effectiveAfter = parameters.effectiveAfter
    endpoint = parameters.endpoint
    window = Window(changes: parameters.window.changes, seconds: parameters.window.seconds)
    files = parameters.files.map {
      Files(
        compression: $0.compression.rawValue, fullSeconds: $0.fullSeconds,
        incrementalSeconds: $0.incrementalSeconds)
    }
    sightings = Sightings(
      send: parameters.sightings.send.rawValue, oneIn: parameters.sightings.oneIn)
  }

  func apply(to parameters: inout ExchangeParameters) throws {
    parameters.style = try word(style, "style")
    parameters.effectiveAfter = effectiveAfter ?? 0
    parameters.endpoint = endpoint
    if let window { parameters.window = .init(changes: window.changes, seconds: window.seconds) }
    parameters.files = try files.map { files in
      ExchangeParameters.Files(
        compression: try word(files.compression, "compression"), fullSeconds: files.fullSeconds,
        incrementalSeconds: files.incrementalSeconds)
    }
    if let sightings {
      parameters.sightings = .init(
        send: try word(sightings.send, "send"), oneIn: sightings.oneIn)
    }
  }

  private func word<Word: RawRepresentable & CaseIterable>(
    _ text: String, _ name: String
  ) throws -> Word where Word.RawValue == String {
    guard let word = Word(rawValue: text) else {
      let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
      throw Problem(.badRequest, name, "\(name) is one of \(words).")
    }
    return word
  }
}

/// One version of an operator's parameters, with who proposed and confirmed it.
package struct ParameterVersion: Encodable, Sendable {
  let version: Int
  /// Absent: of every node of the operator.
  let node: String?
  let isInForce: Bool
  let proposedAt: String
  let proposedBy: String
  let confirmedAt: String?
  let confirmedBy: String?
  let parameters: ParameterSet

  package init(_ record: ParameterRecord) throws {
    version = record.version
    node = record.node
    isInForce = record.isInForce
    proposedAt = record.proposedAt.description
    proposedBy = record.proposedBy
    confirmedAt = record.confirmedAt?.description
    confirmedBy = record.confirmedBy
    parameters = ParameterSet(try ExchangeParameters(json: record.document.utf8))
  }
}

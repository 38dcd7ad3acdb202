import DeviceLists
import Foundation
import ListExchange
import Testing

/// How OpenCEIR's own types read a message and write it again, by the name of its schema.
enum OwnTypes {
  typealias RoundTrip = @Sendable ([UInt8]) throws -> [UInt8]

  static let readers: [String: RoundTrip] = [
    "RegistryStatus": { try RegistryStatus(json: $0).json },
    "NodeStatus": { try NodeStatus(json: $0).json },
    "Problem": { try ExchangeProblem(json: $0).json },
    "Checkpoint": { try SignedCheckpoint(json: $0).json },
    "LUStatusReq": { try LUStatusRequest(json: $0, most: 1).json },
    "LUStatusManyReq": {
      try LUStatusRequest(json: $0, most: ExchangeLimits.mostQueriesAtOnce).json
    },
    "QueriesReq": { try LUStatusRequest(json: $0, most: ExchangeLimits.mostQueries).json },
    "LUStatusResp": { try LUStatusResponse(json: $0).json },
    "LUStatusManyResp": { written(try LUStatusAnswers(json: $0)) },
    "QueryState": { bytes in
      let read = try QueryAnswer(json: bytes)
      return QueryAnswer.json(read.query, answer: read.answers.map(written))
    },
    "Acknowledgement": { try Acknowledgement(json: $0).json },
    "BroadcastResp": { try BroadcastResponse(json: $0).json },
    "ParametersState": { try ParametersAnswer(json: $0).json },
    "ParametersConfirmation": { try ParametersConfirmation(json: $0).json },
    "ParametersConfirmed": { try ParametersConfirmation(json: $0).confirmed },
    "Sighting": { try Sighting(json: $0).json },
    "SightingsTaken": { try SightingsAnswer(json: $0).json },
    "OperatorRequest": { try DeviceRequest(json: $0).json },
    "RequestState": { try DeviceRequestAnswer(json: $0).json },
    "RequestPage": { try DeviceRequestList(json: $0).json },
    "OwnListLine": { try OwnListEntry(json: $0).json },
    "OwnListChange": { try OwnListChange(json: $0).json },
    "OwnListAnswer": { try OwnListAnswer(json: $0).json },
    "ResendRequest": { try ResendRequest(json: $0).json },
  ]

  private static func written(_ answers: LUStatusAnswers) -> [UInt8] {
    var encoder = LUStatusEncoder()
    encoder.open(
      count: answers.answers.count, epoch: answers.epoch, position: answers.position,
      validUntil: answers.validUntil)
    for answer in answers.answers {
      encoder.append(Verdict(answer.status, by: answer.rule, codes: answer.grounds))
    }
    return encoder.close()
  }
}

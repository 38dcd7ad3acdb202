import DeviceLists

@testable import ListExchange

/// What a node asks of the registry.
enum ModelQuestion {
  case changes(ChangesRequest)
  case snapshot
  case parameters
  case confirmation(Int)
  case acknowledgement(Acknowledgement)

  var isErrand: Bool {
    switch self {
    case .parameters, .confirmation: true
    default: false
    }
  }
}

enum ModelReply {
  case delta(ReceivedDelta)
  case snapshot(ModelSnapshot)
  case problem(ExchangeProblem)
  case parameters(ParametersAnswer)
  case confirmed(Int)
  /// The body ended too soon.
  case cut
}

/// What the registry sends to a node by itself.
enum ModelBroadcast {
  case status
  case delta(ReceivedDelta)
  case snapshot(ModelSnapshot)
  case cut
}

enum ModelNodeReply {
  case status(NodeStatus)
  case response(BroadcastResponse)
  case problem(ExchangeProblem)
}

/// What happens at a moment.
enum ModelEvent {
  case tick, act
  case nodeStarts(Int)
  case registryStarts
  case question(Int, ModelQuestion, token: Int)
  case reply(Int, ModelReply, token: Int, version: Int)
  case noReply(Int, token: Int)
  case broadcast(Int, ModelBroadcast, token: Int, isAsync: Bool, version: Int)
  case answer(Int, ModelNodeReply, token: Int)
  case noAnswer(Int, token: Int)
  /// What a node has taken and answered by 202.
  case work(Int, ModelBroadcast, life: Int)
}

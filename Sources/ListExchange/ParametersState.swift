package import DeviceLists

/// Which parameters are in force, on either side: a proposed set waits until the node has confirmed
/// it and has come to the position that it names. Until then the former set goes on.
///
/// For a while the sides may differ (the node knows first where it stands, and a confirmed set may
/// be replaced before the registry has put it in force). Then both styles are in use, or the node
/// asks by itself after a silence: nothing is lost.
package struct ParametersState: Hashable, Sendable {
  package enum Step: Hashable, Sendable {
    case none
    /// Ask the registry for the newest set.
    case fetch
    /// Tell the registry that this version is taken.
    case confirm(Int)
    /// The proposed set is in force from now on.
    case adopt(ExchangeParameters)
  }

  package private(set) var inForce: ExchangeParameters
  package private(set) var proposed: ExchangeParameters?
  package private(set) var isConfirmed = false

  package init(
    inForce: ExchangeParameters = ExchangeParameters(), proposed: ExchangeParameters? = nil,
    isConfirmed: Bool = false
  ) {
    self.inForce = inForce
    self.proposed = proposed
    self.isConfirmed = isConfirmed && proposed != nil
  }

  package var newestVersion: Int { max(inForce.version, proposed?.version ?? 0) }

  /// What is to be done.
  ///
  /// - Parameter announced: the version in the registry's last answer; 0 before the first.
  /// - Parameter replication: the number of the newest file that was exchanged.
  package func next(announced: Int = 0, at position: Position, replication: UInt64 = 0) -> Step {
    if announced > newestVersion { return .fetch }
    guard let proposed else { return .none }
    guard isConfirmed else { return .confirm(proposed.version) }
    let reached = proposed.style == .files ? replication : position.number
    return reached >= proposed.effectiveAfter ? .adopt(proposed) : .none
  }

  /// Whether the registry may take this confirmation.
  package func checkConfirmation(of version: Int) throws(ExchangeError) {
    guard version == proposed?.version || version == inForce.version else {
      throw ExchangeError(.notProposed, "version \(version)")
    }
  }

  /// A node to which is pushed asks by itself after a silence, and follows until a broadcast comes.
  package func asksByItself(silentSince heard: Instant, asOf now: Instant) -> Bool {
    switch inForce.style {
    case .follow: true
    case .files: false
    case .push, .pushAsync:
      // After a moment that lies ahead, the clock has gone back: nobody knows how long it is.
      !(0..<Self.patience * Int64(inForce.window.seconds)).contains(now.seconds(since: heard))
    }
  }

  /// Windows of silence after which a node no longer waits for a broadcast.
  package static let patience: Int64 = 3
}

// MARK: - What has happened

extension ParametersState {
  /// The registry has answered what is in force and what is proposed, or somebody has proposed it.
  /// An older answer changes nothing.
  package mutating func told(_ answer: ParametersAnswer) {
    if answer.inForce.version > inForce.version { inForce = answer.inForce }
    let candidate = [answer.proposed, proposed].compactMap(\.self)
      .filter { $0.version > inForce.version }.max { $0.version < $1.version }
    isConfirmed = isConfirmed && candidate?.version == proposed?.version && candidate != nil
    proposed = candidate
  }

  package mutating func confirmed(_ version: Int) {
    if version == proposed?.version { isConfirmed = true }
  }

  package mutating func adopted(_ parameters: ExchangeParameters) {
    guard parameters.version == proposed?.version else { return }
    inForce = parameters
    proposed = nil
    isConfirmed = false
  }
}

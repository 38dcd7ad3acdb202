package import DeviceLists

/// Decides which files an operator gets next.
package struct ReplicationSchedule: Hashable, Sendable {
  /// The newest file that was written.
  package struct Last: Hashable, Sendable {
    package var epoch: Epoch
    package var position: Position
    package var parametersVersion: Int
    package var writtenAt: Instant

    package init(
      epoch: Epoch, position: Position, parametersVersion: Int, writtenAt: Instant
    ) {
      self.epoch = epoch
      self.position = position
      self.parametersVersion = parametersVersion
      self.writtenAt = writtenAt
    }
  }

  package var last: Last?
  package var lastFullAt: Instant?

  package init(last: Last?, lastFullAt: Instant?) {
    self.last = last
    self.lastFullAt = lastFullAt
  }

  /// What to write of a list that stands at `position`. Before a full file comes an incremental one
  /// up to the same position, so that a node that has missed nothing need not take the full one.
  package func due(
    epoch: Epoch, position: Position, parameters: ExchangeParameters, asOf now: Instant
  ) -> [ReplicationName.Kind] {
    guard let last, let lastFullAt, last.epoch == epoch else { return [.full] }
    guard position >= last.position else { return [] }
    let files = parameters.files ?? ExchangeParameters.Files()
    let hasChanged = position > last.position
    if last.parametersVersion != parameters.version
      || now.seconds(since: lastFullAt) >= files.fullSeconds
    {
      return hasChanged ? [.incremental, .full] : [.full]
    }
    let silence = now.seconds(since: last.writtenAt)
    let isDue = hasChanged && silence >= files.incrementalSeconds
    return isDue || silence >= parameters.window.seconds ? [.incremental] : []
  }
}

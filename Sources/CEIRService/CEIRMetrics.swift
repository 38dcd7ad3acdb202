import Synchronization

/// A number that is shown at `/metrics`.
package final class Metric: Sendable {
  package let name: String
  let help: String
  let kind: Kind
  private let value = Atomic<Int64>(0)

  enum Kind: String { case counter, gauge }

  init(_ kind: Kind, _ name: String, _ help: String) {
    self.kind = kind
    self.name = name
    self.help = help
  }

  package func add(_ count: Int64 = 1) { value.add(count, ordering: .relaxed) }
  package func set(_ number: Int64) { value.store(number, ordering: .relaxed) }
  package var current: Int64 { value.load(ordering: .relaxed) }
}

/// What a CEIR tells Prometheus.
package final class CEIRMetrics: Sendable {
  package let position = Metric(
    .gauge, "ceir_journal_position", "Last position that this process knows to be published.")
  package let isLeading = Metric(
    .gauge, "ceir_publisher_leading", "1 while this process publishes.")
  package let publisherFailures = Metric(
    .counter, "ceir_publisher_failures_total", "Times the publisher stopped and tried again.")
  package let indexPosition = Metric(
    .gauge, "ceir_index_position", "Position of the lists that snapshots are cut from.")
  package let indexRebuilds = Metric(
    .counter, "ceir_index_rebuilds_total", "Times the lists were built from the database.")
  package let snapshots = Metric(
    .counter, "ceir_exchange_snapshots_total", "Snapshots sent to nodes.")
  package let deltas = Metric(.counter, "ceir_exchange_deltas_total", "Deltas sent to nodes.")
  package let changesSent = Metric(
    .counter, "ceir_exchange_changes_total", "Changes sent to nodes.")
  package let refusedRequests = Metric(
    .counter, "ceir_refused_requests_total", "Requests without a token that allows them.")
  package let trimmedRows = Metric(
    .counter, "ceir_journal_trimmed_rows_total", "Rows of the journal older than the horizon.")
  package let retentionFailures = Metric(
    .counter, "ceir_retention_failures_total", "Times that old data could not be erased.")
  package let connections = Metric(
    .gauge, "ceir_exchange_connections", "Connections of nodes that are open.")
  package let broadcasts = Metric(
    .counter, "ceir_exchange_broadcasts_total", "Broadcasts that a node has answered.")
  package let failedBroadcasts = Metric(
    .counter, "ceir_exchange_broadcast_failures_total", "Broadcasts that no node has answered.")
  package let queries = Metric(
    .counter, "ceir_exchange_queries_total", "Asynchronous queries answered.")
  package let sightings = Metric(
    .counter, "ceir_exchange_sightings_total", "Sightings taken from nodes.")
  package let repeatedMessages = Metric(
    .counter, "ceir_exchange_repeated_messages_total", "Messages that came again.")
  package let refusals = Metric(
    .counter, "ceir_exchange_refusals_total", "Requests of nodes that were refused.")
  package let twoMachines = Metric(
    .counter, "ceir_exchange_two_machines_total",
    "Nodes whose name or certificate is used by two machines.")
  package let fileFailures = Metric(
    .counter, "ceir_file_failures_total", "Times that files of operators could not be worked on.")
  package let droppedReaders = Metric(
    .counter, "ceir_exchange_dropped_readers_total",
    "Answers that ended early because their reader took nothing for too long.")
  package let differingNodes = Metric(
    .gauge, "ceir_exchange_differing_nodes",
    "Nodes whose list was another than the registry's when it was last compared.")

  package init() {}

  private var all: [Metric] {
    [
      position, isLeading, publisherFailures, indexPosition, indexRebuilds, snapshots, deltas,
      changesSent, refusedRequests, trimmedRows, retentionFailures, connections, broadcasts,
      failedBroadcasts, queries, sightings, repeatedMessages, refusals, twoMachines,
      droppedReaders, differingNodes, fileFailures,
    ]
  }

  /// Prometheus text exposition format 0.0.4.
  package var text: String {
    all.map { metric in
      """
      # HELP \(metric.name) \(metric.help)
      # TYPE \(metric.name) \(metric.kind.rawValue)
      \(metric.name) \(metric.current)

      """
    }.joined()
  }
}

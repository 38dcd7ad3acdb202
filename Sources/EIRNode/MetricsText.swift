import DeviceLists
import Diameter

/// Counters and gauges in the text format of Prometheus, version 0.0.4.
struct MetricsText {
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  private(set) var text = ""

  init(
    status: StatusReport, health: FeedHealth.Report, counters: CheckCounters,
    asked: RegistryAsker.Counts?, sightings: SightingLoop?, events: DeviceEvents?,
    s13: S13Peers?, tokens: TokenGate.Counts?, gsup: GSUPHealth.Counts?, droppedLines: Int
  ) {
    add(counters)
    gauge("eir_ready", "1 while there is a list that is young enough.", status.ready ? 1 : 0)
    gauge("eir_list_position", "Position of the list.", Int(clamping: status.position ?? 0))
    if let age = status.ageSeconds {
      gauge("eir_list_age_seconds", "Since the registry last confirmed the list.", Int(age))
    }
    gauge(
      "eir_list_entries", "Subjects on the list.", Int(clamping: status.entries?.total ?? 0))
    gauge(
      "eir_list_file_damaged", "1 while answers are given from a file that is damaged.",
      status.listFile.isDamaged ? 1 : 0)
    counter(
      "eir_list_files_refused_total", "Files of the list that were refused since the start.",
      status.listFile.refused)
    gauge("eir_held_subjects", "Subjects that the brake holds.", status.brake.heldSubjects)
    gauge(
      "eir_brake_added", "Blacks added in the last 24 hours.", status.brake.blacksAddedInOneDay)
    gauge("eir_brake_limit", "Blacks beyond which the brake holds.", status.brake.limit)
    gauge("eir_local_entries", "Local entries in force, without settings.", status.local.entries)
    gauge(
      "eir_local_suspended_entries", "Local entries suspended by a damaged line.",
      status.local.suspended)
    gauge(
      "eir_local_damaged_lines", "Lines of local.ndjson that cannot be read.",
      status.local.damagedLines)
    gauge(
      "eir_settings_refused", "1 while the settings that were read last are not used.",
      status.settings?.refusedAt == nil ? 0 : 1)
    gauge("eir_registry_reachable", "1 while the CEIR answers.", health.isReachable ? 1 : 0)
    gauge("eir_following", "1 while nothing is wrong.", health.trouble == nil ? 1 : 0)
    gauge("eir_disk_full", "1 while no room is left for the list.", health.isDiskFull ? 1 : 0)
    counter("eir_deltas_total", "Deltas applied.", health.deltas)
    counter("eir_changes_total", "Changes applied.", health.changes)
    counter("eir_snapshots_total", "Snapshots installed.", health.snapshots)
    counter("eir_broadcasts_total", "Broadcasts received.", health.broadcasts)
    counter("eir_feed_failures_total", "Failed attempts to follow.", health.failures)
    counter("eir_check_log_dropped_total", "Lines left out of the check log.", droppedLines)
    if let asked { add(asked) }
    if let tokens { add(tokens) }
    if let sightings { add(sightings) }
    if let events { add(events) }
    if let s13 { add(s13) }
    if let gsup { add(gsup) }
  }

  private mutating func add(_ counters: CheckCounters) {
    family(
      "eir_checks_total", "counter",
      "Checks by interface, the rule that decided and what it decided.")
    for count in counters.counts {
      text += "eir_checks_total{interface=\"\(count.interface)\",rule=\"\(count.rule)\","
      text += "decided=\"\(count.decided)\"} \(count.count)\n"
    }
    counter(
      "eir_shadowed_total", "Let through in shadow mode against the list.",
      counters.shadowedCount)
    let name = "eir_check_duration_seconds"
    family(name, "histogram", "From the question understood to the answer known.")
    for latency in counters.latencies {
      let label = "interface=\"\(latency.interface)\""
      for (bound, count) in zip(CheckCounters.bounds, latency.counts) {
        text += "\(name)_bucket{\(label),le=\"\(Self.seconds(bound))\"} \(count)\n"
      }
      text += "\(name)_bucket{\(label),le=\"+Inf\"} \(latency.total)\n"
      text += "\(name)_sum{\(label)} \(Self.seconds(latency.sumNanoseconds))\n"
      text += "\(name)_count{\(label)} \(latency.total)\n"
    }
  }

  private static func seconds(_ nanoseconds: Int) -> Double { Double(nanoseconds) / 1e9 }

  private mutating func add(_ peers: S13Peers) {
    gauge("eir_s13_peers", "Diameter peers that are connected.", peers.openCount)
    family("eir_s13_peer_up", "gauge", "1 while a peer that is named in the settings is connected.")
    for peer in peers.expected {
      text += "eir_s13_peer_up{peer=\"\(peer.name)\"} \(peer.isOpen ? 1 : 0)\n"
    }
    gauge(
      "eir_s13_held_bytes", "Held for Diameter connections, as far as it is worth counting.",
      peers.memory.bytes)
    counter(
      "eir_s13_memory_closed_total", "Diameter connections closed because all held too much.",
      peers.memory.closedCount)
    family("eir_s13_refused_total", "counter", "Diameter requests refused, by Result-Code.")
    for refusal in peers.refusalCounts {
      text += "eir_s13_refused_total{code=\"\(refusal.code.rawValue)\"} \(refusal.count)\n"
    }
  }

  private mutating func add(_ tokens: TokenGate.Counts) {
    counter("eir_n17_tokens_verified_total", "Access tokens that count.", tokens.verified)
    let refused = "eir_n17_tokens_refused_total"
    family(refused, "counter", "Requests without an access token that counts, by reason.")
    for fault in AccessToken.Fault.allCases {
      text += "\(refused){reason=\"\(fault.rawValue)\"} \(tokens.refused[fault] ?? 0)\n"
    }
    counter(
      "eir_n17_tokens_turned_away_total", "Requests beyond the limits on new tokens.",
      tokens.turnedAway)
  }

  private mutating func add(_ sightings: SightingLoop) {
    let (noted, sent) = (sightings.notes.counts, sightings.counts)
    counter("eir_sightings_total", "Devices seen with subscribers, once a day.", noted.noted)
    counter("eir_sightings_sent_total", "Sightings that the registry has.", sent.sent)
    counter(
      "eir_sightings_dropped_total", "Sightings for which there was no room.", noted.dropped)
    counter(
      "eir_sightings_refused_total", "Sightings that the registry will not take.", sent.refused)
    gauge(
      "eir_sightings_pending", "Sightings that are not yet on disk.",
      sightings.notes.pendingCount)
    gauge("eir_sightings_waiting_bytes", "On disk, for the registry.", sightings.queue.bytes)
  }

  private mutating func add(_ events: DeviceEvents) {
    let (made, delivered) = (events.memory.counts, events.counts)
    counter("eir_events_total", "Events of devices, made for your own system.", made.made)
    counter("eir_events_sent_total", "Events that your system has taken.", delivered.sent)
    counter(
      "eir_events_dropped_total", "Events for which there was no room, or too old.",
      made.dropped + delivered.dropped)
    gauge("eir_events_waiting_bytes", "On disk, for your system.", events.queue.bytes)
    gauge(
      "eir_events_subscribers", "Subscribers whose device is known.",
      events.memory.subscriberCount)
    counter(
      "eir_events_displaced_total", "Subscribers forgotten to make room for others.",
      events.memory.displacedCount)
  }

  private mutating func add(_ gsup: GSUPHealth.Counts) {
    gauge("eir_gsup_connections", "Clients of GSUP that are connected.", gsup.connections)
    counter(
      "eir_gsup_hlr_lost_total", "Clients let go because the HLR was away.", gsup.hlrLost)
    counter(
      "eir_gsup_hlr_ended_total", "Clients let go because the HLR ended their connection.",
      gsup.hlrEnded)
    counter(
      "eir_gsup_ill_formed_total", "Check-IMEI requests that could not be read.",
      gsup.illFormed)
  }

  private mutating func add(_ asked: RegistryAsker.Counts) {
    counter("eir_asked_total", "Questions to the CEIR about devices on no list.", asked.asked)
    counter(
      "eir_asked_remembered_total", "Answered by what the CEIR said lately.", asked.remembered)
    counter("eir_asked_failed_total", "Questions that the CEIR did not answer.", asked.failed)
    counter("eir_asked_late_total", "Checks that did not wait any longer.", asked.tooLate)
    counter("eir_asked_refused_total", "Checks beyond the limits on questions.", asked.tooMany)
  }

  private mutating func family(_ name: String, _ type: String, _ help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
  }

  private mutating func counter(_ name: String, _ help: String, _ value: Int) {
    family(name, "counter", help)
    text += "\(name) \(value)\n"
  }

  private mutating func gauge(_ name: String, _ help: String, _ value: Int) {
    family(name, "gauge", help)
    text += "\(name) \(value)\n"
  }
}

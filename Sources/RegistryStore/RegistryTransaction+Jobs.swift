package import DeviceLists
import PostgreSQL

/// One run of a job.
package struct JobRun: Sendable {
  package enum State: String, Sendable { case running, finished, stopped, failed }

  package let number: Int64
  package let job: String
  package let asOf: CivilDate
  package let startedAt: Instant
  package let startedBy: String
  package let endedAt: Instant?
  package let state: State
  /// JSON.
  package let report: String
}

extension RegistryTransaction {
  /// Begins a run. One that has not ended is given up where `takeOver` says so: whoever works at it
  /// finds that its run is no longer the current one. Throws ``StoreError/Code/jobRuns``.
  package func beginJob(
    _ job: String, asOf day: CivilDate, takeOver: Bool, by actor: String
  ) async throws -> Int64 {
    try await connection.query("SELECT pg_advisory_xact_lock(7348201162)")
    if takeOver {
      try await connection.query(Self.giveUp, job)
    } else if let current = try await connection.query(Self.currentRun, job).first {
      throw StoreError(
        .jobRuns,
        "The job \(job) has been running since \(try current.instant("started_at")), started by "
          + "\(try current.string("started_by")). If it is dead, --take-over ends it.")
    }
    return try await connection.query(Self.insertRun, job, day.column, actor).only().int64(0)
  }

  /// In each transaction that changes something: throws ``StoreError/Code/jobLost`` unless the run
  /// is still the current one, and keeps it so to the end of the transaction.
  package func keepJob(_ run: Int64) async throws {
    guard try await connection.query(Self.lockRun, run).first != nil else {
      throw StoreError(
        .jobLost, "This run was ended by another: nothing more was changed by it.")
    }
  }

  package func endJob(_ run: Int64, _ state: JobRun.State, report: String) async throws {
    try await connection.query(Self.endRun, run, state.rawValue, report)
  }

  /// The newest first.
  package func jobRuns(limit: Int) async throws -> [JobRun] {
    try await connection.query(Self.runs, Int32(limit)).map { row in
      JobRun(
        number: try row.int64("run_id"), job: try row.string("job"),
        asOf: CivilDate(daysSinceEpoch: Int64(try row.date("as_of").daysSince1970)),
        startedAt: try row.instant("started_at"), startedBy: try row.string("started_by"),
        endedAt: try row.optionalInstant("ended_at"),
        state: JobRun.State(rawValue: try row.string("state")) ?? .failed,
        report: try row.string("report"))
    }
  }

  private static let giveUp = """
    UPDATE job_run SET ended_at = now(), state = 'failed', report = '{"reason":"taken over"}'
     WHERE job = $1 AND ended_at IS NULL
    """

  /// Served by job_run_current.
  private static let currentRun = """
    SELECT started_at, started_by FROM job_run WHERE job = $1 AND ended_at IS NULL
    """

  private static let insertRun = """
    INSERT INTO job_run (job, as_of, started_by) VALUES ($1, $2, $3) RETURNING run_id
    """

  /// Served by the primary key of job_run.
  private static let lockRun = """
    SELECT run_id FROM job_run WHERE run_id = $1 AND ended_at IS NULL FOR UPDATE
    """

  private static let endRun = """
    UPDATE job_run SET ended_at = clock_timestamp(), state = $2, report = $3
     WHERE run_id = $1 AND ended_at IS NULL
    """

  private static let runs = """
    SELECT run_id, job, as_of, started_at, started_by, ended_at, state, report
      FROM job_run
     ORDER BY run_id DESC
     LIMIT $1
    """
}

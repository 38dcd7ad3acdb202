extension RegistryTransaction {
  /// Subjects whose time has come, up to half of the batch, and marks by priority, then by age; no
  /// more than $1 together, as a batch is never divided. Then three kinds of rows: 0
  /// the subject with its entry, 1 its grounds, 2 its releases.
  ///
  /// Marks of mass runs are looked for after a number that the publisher keeps: rows that were
  /// deleted stay in the index as long as any old reader lives, and passing them again and again
  /// would take longer with every batch. Served by dirty_order, the primary key of due, that of
  /// list_entry, ground_subject and release_subject.
  static let take = """
    WITH moment AS MATERIALIZED (
      SELECT GREATEST(clock_timestamp(), $3) AS as_of
    ), come AS (
      DELETE FROM due
       WHERE ctid = ANY (ARRAY(
               SELECT due.ctid FROM due, moment WHERE due_at <= as_of
                ORDER BY due_at LIMIT ($1 + 1) / 2))
      RETURNING subject_kind, subject_key1, subject_key2, scope
    ), taken AS (
      DELETE FROM dirty
       WHERE ctid = ANY (ARRAY(
               SELECT place
                 FROM ((SELECT ctid AS place FROM dirty WHERE priority = 0
                         ORDER BY dirty_id LIMIT $1)
                       UNION ALL
                       (SELECT ctid FROM dirty WHERE priority = 1
                         ORDER BY dirty_id LIMIT $1)
                       UNION ALL
                       (SELECT ctid FROM dirty WHERE priority = 2 AND dirty_id > $2
                         ORDER BY dirty_id LIMIT $1)) candidate
                LIMIT $1 - (SELECT count(*) FROM come)))
      RETURNING dirty_id, priority, subject_kind, subject_key1, subject_key2, scope
    ), subject AS MATERIALIZED (
      SELECT subject_kind, subject_key1, subject_key2, scope, min(priority) AS priority,
             min(dirty_id) AS first_mark, count(dirty_id) AS marks,
             max(dirty_id) FILTER (WHERE priority = 2) AS mass_mark
        FROM (SELECT dirty_id, priority, subject_kind, subject_key1, subject_key2, scope
                FROM taken
              UNION ALL
              SELECT NULL, 1, subject_kind, subject_key1, subject_key2, scope FROM come) mark
       GROUP BY subject_kind, subject_key1, subject_key2, scope
    )
    SELECT 0 AS row_kind, s.subject_kind, s.subject_key1, s.subject_key2, s.scope,
           e.status, COALESCE(e.ground_codes, '{}') AS ground_codes,
           COALESCE(e.overridable, true) AS overridable, m.as_of AS started_at,
           NULL::timestamptz AS ended_at, s.marks, s.mass_mark, s.priority, s.first_mark
      FROM subject s
     CROSS JOIN moment m
      LEFT JOIN list_entry e USING (subject_kind, subject_key1, subject_key2, scope)
    UNION ALL
    SELECT 1, s.subject_kind, s.subject_key1, s.subject_key2, s.scope,
           g.status, ARRAY[g.code], g.overridable, g.started_at, g.ended_at, 0, NULL, 3, 0
      FROM subject s
     CROSS JOIN moment m
      JOIN ground g USING (subject_kind, subject_key1, subject_key2, scope)
     WHERE g.ended_at IS NULL OR g.ended_at > m.as_of
    UNION ALL
    SELECT 2, s.subject_kind, s.subject_key1, s.subject_key2, s.scope,
           NULL, r.codes, r.lifts_wider, r.started_at, r.ended_at, 0, NULL, 3, 0
      FROM subject s
     CROSS JOIN moment m
      JOIN release r USING (subject_kind, subject_key1, subject_key2, scope)
     WHERE r.ended_at IS NULL OR r.ended_at > m.as_of
    """

  static let copyJournal = """
    COPY journal (position, subject_kind, subject_key1, subject_key2, scope, status, ground_codes,
                  overridable)
    FROM STDIN (FORMAT binary)
    """

  static let insertBatch = """
    INSERT INTO journal_batch (last_position, first_position, epoch, as_of)
    VALUES ($1, $2, $3, $4)
    """

  static let copyEntries = """
    COPY list_entry (subject_kind, subject_key1, subject_key2, scope, status, ground_codes,
                     overridable, since, position)
    FROM STDIN (FORMAT binary)
    """

  /// Entries that the batch has just added have its positions already. Served by the primary keys
  /// of journal (position) and list_entry.
  static let updateEntries = """
    UPDATE list_entry e
       SET status = j.status,
           ground_codes = j.ground_codes,
           overridable = j.overridable,
           since = $3,
           position = j.position
      FROM journal j
     WHERE j.position BETWEEN $1 AND $2
       AND j.status IS NOT NULL
       AND e.subject_kind = j.subject_kind
       AND e.subject_key1 = j.subject_key1
       AND e.subject_key2 = j.subject_key2
       AND e.scope = j.scope
       AND e.position <> j.position
    """

  /// Served by the primary keys of journal (position) and list_entry.
  static let deleteEntries = """
    DELETE FROM list_entry e
     USING journal j
     WHERE j.position BETWEEN $1 AND $2
       AND j.status IS NULL
       AND e.subject_kind = j.subject_kind
       AND e.subject_key1 = j.subject_key1
       AND e.subject_key2 = j.subject_key2
       AND e.scope = j.scope
    """

  static let insertDigest = """
    INSERT INTO journal_digest (scope, last_position, digest) VALUES ($1, $2, $3)
    """

  static let insertDue = """
    INSERT INTO due (due_at, subject_kind, subject_key1, subject_key2, scope)
    SELECT due_at, subject_kind, subject_key1, subject_key2, scope
      FROM unnest($1::timestamptz[], $2::smallint[], $3::bigint[], $4::bigint[], $5::integer[])
           AS subject (due_at, subject_kind, subject_key1, subject_key2, scope)
        ON CONFLICT DO NOTHING
    """
}

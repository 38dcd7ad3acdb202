extension Migrator {
  /// The owner's functions that erase what has been kept long enough.
  static let secondMigrationFunctions = #"""

    CREATE FUNCTION trim_journal(days integer, not_beyond bigint, most_rows bigint) RETURNS bigint
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = ceir, pg_temp
    AS $$
    DECLARE
      oldest  bigint := (SELECT min(position) FROM journal);
      newest  bigint := (SELECT max(last_position) FROM journal_batch);
      reach   bigint;
      removed bigint;
    BEGIN
      SELECT max(last_position) INTO reach
        FROM journal_batch
       WHERE last_position >= oldest
         AND last_position < oldest + GREATEST(most_rows, 100000)
         AND last_position < newest
         AND last_position <= not_beyond
         AND published_at < now() - make_interval(days => GREATEST(days, 1));
      IF reach IS NULL THEN RETURN 0; END IF;
      DELETE FROM journal WHERE position <= reach;
      GET DIAGNOSTICS removed = ROW_COUNT;
      DELETE FROM journal_digest d
       WHERE d.last_position <= reach
         AND EXISTS (SELECT FROM journal_digest n
                      WHERE n.scope = d.scope
                        AND n.last_position > d.last_position
                        AND n.last_position <= reach);
      DELETE FROM journal_batch b
       WHERE b.last_position <= reach
         AND NOT EXISTS (SELECT FROM journal_digest d WHERE d.last_position = b.last_position);
      RETURN removed;
    END
    $$;
    CREATE FUNCTION erase_messages(most_rows integer) RETURNS bigint
      LANGUAGE sql SECURITY DEFINER SET search_path = ceir, pg_temp
    AS $$
      WITH gone AS (
        DELETE FROM exchange_message
         WHERE ctid = ANY (ARRAY(
                 SELECT ctid FROM exchange_message
                  WHERE received_at < now() - interval '7 days'
                  ORDER BY received_at LIMIT most_rows))
        RETURNING 1)
      SELECT count(*) FROM gone
    $$;
    CREATE FUNCTION erase_queries(most_rows integer) RETURNS bigint
      LANGUAGE sql SECURITY DEFINER SET search_path = ceir, pg_temp
    AS $$
      WITH gone AS (
        DELETE FROM exchange_query
         WHERE ctid = ANY (ARRAY(
                 SELECT ctid FROM exchange_query
                  WHERE received_at < now() - interval '24 hours'
                  ORDER BY received_at LIMIT most_rows))
        RETURNING 1)
      SELECT count(*) FROM gone
    $$;
    CREATE FUNCTION erase_sightings(days integer, most_rows integer) RETURNS bigint
      LANGUAGE sql SECURITY DEFINER SET search_path = ceir, pg_temp
    AS $$
      WITH gone AS (
        DELETE FROM sighting_live
         WHERE ctid = ANY (ARRAY(
                 SELECT ctid FROM sighting_live
                  WHERE day < current_date - GREATEST(days, 1)
                  ORDER BY day LIMIT most_rows))
        RETURNING 1)
      SELECT count(*) FROM gone
    $$;
    CREATE FUNCTION erase_subscribers(days integer, most_rows integer) RETURNS bigint
      LANGUAGE sql SECURITY DEFINER SET search_path = ceir, pg_temp
    AS $$
      WITH gone AS (
        UPDATE operator_request
           SET imsi = 0
         WHERE ctid = ANY (ARRAY(
                 SELECT ctid FROM operator_request
                  WHERE imsi <> 0
                    AND state <> 'pending'
                    AND received_at < now() - make_interval(days => GREATEST(days, 1))
                  ORDER BY received_at LIMIT most_rows))
        RETURNING 1)
      SELECT count(*) FROM gone
    $$;
    REVOKE ALL ON FUNCTION trim_journal, erase_messages, erase_queries, erase_sightings,
      erase_subscribers FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION trim_journal, erase_messages, erase_queries, erase_sightings,
      erase_subscribers TO ceir_service;
    """#
}

extension Migrator {
  /// The owner's functions that make, replace and end the months of sightings.
  static let thirdMigrationFunctions = #"""

    CREATE FUNCTION add_sighting_month(month date) RETURNS void
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = ceir, pg_temp
    AS $$
    DECLARE
      table_name text := format('sighting_%s', to_char(month, 'YYYYMM'));
    BEGIN
      IF extract(day FROM month) <> 1 THEN RAISE 'a month begins on its first day'; END IF;
      PERFORM pg_advisory_xact_lock(7348201160);
      IF to_regclass(table_name) IS NOT NULL THEN RETURN; END IF;
      EXECUTE format('CREATE TABLE %I PARTITION OF sighting FOR VALUES IN (%L)
                        PARTITION BY LIST (operator_id)', table_name, month);
      EXECUTE format('GRANT SELECT ON %I TO ceir_service', table_name);
    END
    $$;

    CREATE FUNCTION begin_sightings(operator integer, month date) RETURNS text
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = ceir, pg_temp
    AS $$
    DECLARE
      table_name text := format('sighting_%s_%s_new', to_char(month, 'YYYYMM'), operator);
    BEGIN
      PERFORM pg_advisory_xact_lock(734820115, operator);
      EXECUTE format('CREATE TABLE %I (LIKE sighting INCLUDING DEFAULTS)', table_name);
      EXECUTE format('ALTER TABLE %I ADD CHECK (month = %L), ADD CHECK (operator_id = %s),
                                     ALTER month SET DEFAULT %L,
                                     ALTER operator_id SET DEFAULT %s',
                     table_name, month, operator, month, operator);
      EXECUTE format('GRANT SELECT, INSERT ON %I TO ceir_service', table_name);
      RETURN table_name;
    END
    $$;

    CREATE FUNCTION finish_sightings(operator integer, month date) RETURNS void
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = ceir, pg_temp
      SET maintenance_work_mem = '512MB'
    AS $$
    DECLARE
      parent text := format('sighting_%s', to_char(month, 'YYYYMM'));
      leaf   text := format('sighting_%s_%s', to_char(month, 'YYYYMM'), operator);
    BEGIN
      EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (imei, imsi, msisdn)', leaf || '_new');
      EXECUTE format('REVOKE INSERT ON %I FROM ceir_service', leaf || '_new');
      -- Who reads all months is waited for here, and nobody queues behind this transaction.
      PERFORM pg_advisory_xact_lock(7348201161);
      IF to_regclass(leaf) IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parent, leaf);
        EXECUTE format('DROP TABLE %I', leaf);
      END IF;
      EXECUTE format('ANALYZE %I', leaf || '_new');
      EXECUTE format('ALTER TABLE %I RENAME TO %I', leaf || '_new', leaf);
      EXECUTE format('ALTER INDEX %I RENAME TO %I', leaf || '_new_pkey', leaf || '_pkey');
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%s)', parent, leaf,
                     operator);
    END
    $$;

    CREATE FUNCTION erase_sighting_month(months integer) RETURNS bigint
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = ceir, pg_temp
    AS $$
    DECLARE
      oldest date := (SELECT min(to_date(right(c.relname, 6), 'YYYYMM'))
                        FROM pg_inherits i
                        JOIN pg_class c ON c.oid = i.inhrelid
                       WHERE i.inhparent = 'sighting'::regclass);
      parent text := format('sighting_%s', to_char(oldest, 'YYYYMM'));
      gone   bigint;
    BEGIN
      IF oldest IS NULL
         OR oldest >= date_trunc('month', now()) - make_interval(months => GREATEST(months, 1)) THEN
        RETURN 0;
      END IF;
      PERFORM pg_advisory_xact_lock(7348201161);
      EXECUTE format('SELECT count(*) FROM %I', parent) INTO gone;
      EXECUTE format(
        'INSERT INTO seen_imei AS s (imei, first_day, last_day)
         SELECT imei, min(month + lowest), max(month + highest)
           FROM (SELECT imei, month,
                        floor(log(2, (days & -days)::numeric))::integer AS lowest,
                        floor(log(2, days::numeric))::integer AS highest
                   FROM %I) seen
          GROUP BY imei
          ORDER BY imei
             ON CONFLICT (imei) DO UPDATE
            SET first_day = LEAST(s.first_day, EXCLUDED.first_day),
                last_day = GREATEST(s.last_day, EXCLUDED.last_day)', parent);
      EXECUTE format('ALTER TABLE sighting DETACH PARTITION %I', parent);
      EXECUTE format('DROP TABLE %I', parent);
      DELETE FROM sighting_unusable u WHERE u.month = oldest;
      RETURN gone + 1;
    END
    $$;

    CREATE FUNCTION live_horizon() RETURNS timestamptz
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = ceir, pg_temp
    AS $$
    BEGIN
      LOCK TABLE sighting_live IN SHARE MODE;
      RETURN clock_timestamp();
    END
    $$;

    CREATE FUNCTION merge_live(since timestamptz, horizon timestamptz) RETURNS bigint
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = ceir, pg_temp
    AS $$
    DECLARE
      part   record;
      leaf   text;
      merged bigint := 0;
      rows   bigint;
    BEGIN
      FOR part IN
        SELECT date_trunc('month', day)::date AS month, operator_id AS operator
          FROM sighting_live
         WHERE received_at > since AND received_at <= horizon
         GROUP BY 1, 2
         ORDER BY 1, 2
      LOOP
        leaf := format('sighting_%s_%s', to_char(part.month, 'YYYYMM'), part.operator);
        PERFORM add_sighting_month(part.month);
        IF to_regclass(leaf) IS NULL THEN
          PERFORM begin_sightings(part.operator, part.month);
          PERFORM finish_sightings(part.operator, part.month);
        END IF;
        PERFORM pg_advisory_xact_lock(734820115, part.operator);
        EXECUTE format(
          'INSERT INTO %I AS s (month, operator_id, imei, imsi, msisdn, days, technologies)
           SELECT $1, $2, imei, imsi, msisdn,
                  bit_or(1 << (extract(day FROM day)::integer - 1)), 0
             FROM sighting_live
            WHERE received_at > $3 AND received_at <= $4
              AND operator_id = $2 AND day >= $1 AND day < ($1 + interval ''1 month'')
              AND imei >= 0
            GROUP BY imei, imsi, msisdn
            ORDER BY imei, imsi, msisdn
               ON CONFLICT (imei, imsi, msisdn) DO UPDATE SET days = s.days | EXCLUDED.days',
          leaf)
          USING part.month, part.operator, since, horizon;
        GET DIAGNOSTICS rows = ROW_COUNT;
        merged := merged + rows;
        INSERT INTO sighting_unusable AS s
               (month, operator_id, identity, imsi, msisdn, days, technologies)
        SELECT part.month, part.operator, identity, imsi, msisdn,
               bit_or(1 << (extract(day FROM day)::integer - 1)), 0
          FROM sighting_live
         WHERE received_at > since AND received_at <= horizon
           AND operator_id = part.operator AND day >= part.month
           AND day < (part.month + interval '1 month')
           AND imei = -1
         GROUP BY identity, imsi, msisdn
            ON CONFLICT (month, operator_id, identity, imsi, msisdn)
            DO UPDATE SET days = s.days | EXCLUDED.days;
        GET DIAGNOSTICS rows = ROW_COUNT;
        merged := merged + rows;
      END LOOP;
      INSERT INTO classify_pending (imei)
      SELECT DISTINCT imei
        FROM sighting_live
       WHERE received_at > since AND received_at <= horizon AND imei >= 0;
      RETURN merged;
    END
    $$;

    REVOKE ALL ON FUNCTION add_sighting_month, begin_sightings, finish_sightings,
      erase_sighting_month, live_horizon, merge_live FROM PUBLIC;

    GRANT INSERT ON reference_row, sighting_unusable, sighting_day, sighting_merge, condition,
      rule_settings, job_run, classification, classify_pending, classify_subject TO ceir_service;
    GRANT UPDATE (until) ON reference_row TO ceir_service;
    GRANT UPDATE (days, technologies) ON sighting_unusable TO ceir_service;
    GRANT UPDATE (import_id, imeis, imsis, triplets) ON sighting_day TO ceir_service;
    GRANT UPDATE (merged_until) ON sighting_merge TO ceir_service;
    GRANT UPDATE (ended_at, state, report) ON job_run TO ceir_service;
    GRANT UPDATE (block_on, has_amnesty, ground_id, until, end_run_id) ON classification
      TO ceir_service;
    GRANT DELETE ON sighting_unusable, classify_pending, classify_subject TO ceir_service;
    GRANT EXECUTE ON FUNCTION add_sighting_month, begin_sightings, finish_sightings,
      erase_sighting_month, live_horizon, merge_live TO ceir_service;
    """#
}

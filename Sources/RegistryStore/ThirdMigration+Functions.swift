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

    REVOKE ALL ON FUNCTION add_sighting_month, begin_sightings, finish_sightings,
      erase_sighting_month FROM PUBLIC;

    GRANT INSERT ON reference_row, sighting_unusable, sighting_day, sighting_merge, condition,
      rule_settings, job_run, classification, classify_pending TO ceir_service;
    GRANT UPDATE (until) ON reference_row TO ceir_service;
    GRANT UPDATE (days, technologies) ON sighting_unusable TO ceir_service;
    GRANT UPDATE (import_id, imeis, imsis, triplets) ON sighting_day TO ceir_service;
    GRANT UPDATE (merged_until) ON sighting_merge TO ceir_service;
    GRANT UPDATE (ended_at, state, report) ON job_run TO ceir_service;
    GRANT UPDATE (block_on, has_amnesty, ground_id, until, end_run_id) ON classification
      TO ceir_service;
    GRANT DELETE ON sighting_unusable, classify_pending TO ceir_service;
    GRANT EXECUTE ON FUNCTION add_sighting_month, begin_sightings, finish_sightings,
      erase_sighting_month TO ceir_service;
    """#
}

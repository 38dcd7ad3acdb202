extension Migrator {
  /// The schema of the first version; what each table is for stands in
  /// `Schema/database/registry.sql`.
  static let firstMigration = #"""
    SET LOCAL search_path = ceir;
    CREATE TABLE registry (
      only_row    boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
      name        text        NOT NULL CHECK (name ~ '^[!#-+\-.-\[\]-~]{1,32}$'),
      time_zone   text        NOT NULL,
      created_at  timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE epoch (
      epoch_number      integer     PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      epoch             text        NOT NULL UNIQUE CHECK (epoch ~ '^[0-9a-f]{32}$'),
      started_at        timestamptz NOT NULL DEFAULT now(),
      after_position    bigint      NOT NULL,
      reason            text        NOT NULL,
      system_identifier bigint      NOT NULL,
      timeline          integer     NOT NULL
    );
    CREATE TABLE operator (
      operator_id  integer     PRIMARY KEY GENERATED ALWAYS AS IDENTITY CHECK (operator_id > 0),
      code         text        NOT NULL UNIQUE
                   CHECK (code ~ '^[a-z0-9][a-z0-9-]{0,15}$' AND code <> 'all'),
      name         text        NOT NULL,
      created_at   timestamptz NOT NULL DEFAULT now(),
      retired_at   timestamptz
    );
    CREATE TABLE operator_plmn (
      plmn         text        NOT NULL CHECK (plmn ~ '^[0-9]{5,6}$'),
      operator_id  integer     NOT NULL REFERENCES operator,
      since        timestamptz NOT NULL DEFAULT now(),
      until        timestamptz,
      PRIMARY KEY (plmn, since)
    );
    CREATE UNIQUE INDEX operator_plmn_current ON operator_plmn (plmn) WHERE until IS NULL;
    CREATE TABLE operator_policy (
      operator_id  integer     NOT NULL REFERENCES operator,
      version      integer     NOT NULL CHECK (version > 0),
      mode         text        NOT NULL CHECK (mode IN ('unknown', 'white', 'grey', 'black')),
      since        timestamptz NOT NULL DEFAULT now(),
      set_by       text        NOT NULL,
      PRIMARY KEY (operator_id, version)
    );
    CREATE TABLE node (
      node_id      integer     PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      operator_id  integer     NOT NULL REFERENCES operator,
      name         text        NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
      token_hash   bytea       NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
      created_at   timestamptz NOT NULL DEFAULT now(),
      revoked_at   timestamptz
    );
    CREATE UNIQUE INDEX node_current ON node (operator_id, name) WHERE revoked_at IS NULL;
    CREATE TABLE node_report (
      node_id      integer     PRIMARY KEY REFERENCES node,
      epoch        text        NOT NULL,
      position     bigint      NOT NULL,
      seen_at      timestamptz NOT NULL
    );
    CREATE TABLE api_token (
      token_id     integer     PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      name         text        NOT NULL CHECK (name ~ '^[^/[:cntrl:]]{1,64}$'),
      role         text        NOT NULL CHECK (role IN
                   ('viewer', 'officer', 'approver', 'auditor', 'administrator', 'operator')),
      operator_id  integer     REFERENCES operator,
      token_hash   bytea       NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
      created_at   timestamptz NOT NULL DEFAULT now(),
      expires_at   timestamptz,
      revoked_at   timestamptz,
      CHECK ((role = 'operator') = (operator_id IS NOT NULL))
    );
    CREATE UNIQUE INDEX api_token_current ON api_token (name) WHERE revoked_at IS NULL;
    CREATE TABLE import (
      import_id     bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      kind          text        NOT NULL CHECK (kind IN ('tac', 'stolen')),
      file_name     text        NOT NULL,
      sha256        bytea       NOT NULL CHECK (octet_length(sha256) = 32),
      source        text        NOT NULL,
      form          text        NOT NULL,
      rows_read     bigint      NOT NULL,
      rows_kept     bigint      NOT NULL,
      rows_repeated bigint      NOT NULL,
      rows_refused  bigint      NOT NULL,
      imported_at   timestamptz NOT NULL DEFAULT now(),
      imported_by   text        NOT NULL
    );
    CREATE INDEX import_content ON import (kind, sha256);
    CREATE TABLE tac_allocation (
      tac           integer     NOT NULL CHECK (tac BETWEEN 0 AND 99999999),
      manufacturer  text        NOT NULL,
      model         text        NOT NULL,
      attributes    jsonb       NOT NULL,
      import_id     bigint      NOT NULL REFERENCES import,
      since         timestamptz NOT NULL DEFAULT now(),
      until         timestamptz
    );
    CREATE UNIQUE INDEX tac_allocation_current ON tac_allocation (tac) WHERE until IS NULL;
    CREATE INDEX tac_allocation_history ON tac_allocation (tac, since);
    CREATE TABLE device (
      device_id    bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      source       text        NOT NULL,
      since        timestamptz NOT NULL DEFAULT now(),
      until        timestamptz
    );
    CREATE TABLE device_imei (
      device_id    bigint      NOT NULL REFERENCES device,
      imei         bigint      NOT NULL CHECK (imei BETWEEN 0 AND 99999999999999),
      since        timestamptz NOT NULL DEFAULT now(),
      until        timestamptz,
      PRIMARY KEY (device_id, imei, since)
    );
    CREATE UNIQUE INDEX device_imei_current ON device_imei (imei) WHERE until IS NULL;
    CREATE FUNCTION is_subject(kind smallint, key1 bigint, key2 bigint) RETURNS boolean
      LANGUAGE sql IMMUTABLE PARALLEL SAFE
      RETURN CASE kind
        WHEN 1 THEN key1 BETWEEN 0 AND 99999999999999 AND key2 = 0
        WHEN 2 THEN key1 BETWEEN 0 AND key2 AND key2 <= 99999999999999
        WHEN 3 THEN key1 BETWEEN 0 AND 99999999 AND key2 = 0
        WHEN 4 THEN key1 BETWEEN 0 AND 99999999999999
          AND key2 / 1000000000000000 BETWEEN 5 AND 15
          AND key2 % 1000000000000000 < 10::numeric ^ (key2 / 1000000000000000)::integer
        ELSE false
      END;
    CREATE TABLE ground (
      ground_id       bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      subject_kind    smallint    NOT NULL,
      subject_key1    bigint      NOT NULL,
      subject_key2    bigint      NOT NULL,
      scope           integer     NOT NULL CHECK (scope >= 0),
      code            text        NOT NULL,
      status          smallint    NOT NULL CHECK (status BETWEEN 0 AND 2),
      overridable     boolean     NOT NULL,
      source          text        NOT NULL,
      case_reference  text        NOT NULL DEFAULT '',
      reason          text        NOT NULL DEFAULT '',
      device_id       bigint      REFERENCES device,
      import_id       bigint      REFERENCES import,
      started_at      timestamptz NOT NULL,
      ended_at        timestamptz,
      recorded_at     timestamptz NOT NULL DEFAULT now(),
      recorded_by     text        NOT NULL,
      end_recorded_at timestamptz,
      end_recorded_by text,
      end_reason      text,
      CHECK (is_subject(subject_kind, subject_key1, subject_key2)),
      CHECK (subject_kind <> 4 OR status <> 2),
      CHECK ((ended_at IS NULL) = (end_recorded_at IS NULL))
    );
    CREATE INDEX ground_subject ON ground (subject_kind, subject_key1, subject_key2, scope);
    CREATE INDEX ground_device ON ground (device_id) WHERE device_id IS NOT NULL;
    CREATE TABLE release (
      release_id      bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      subject_kind    smallint    NOT NULL,
      subject_key1    bigint      NOT NULL,
      subject_key2    bigint      NOT NULL,
      scope           integer     NOT NULL CHECK (scope >= 0),
      codes           text[]      NOT NULL CHECK (cardinality(codes) > 0),
      lifts_wider     boolean     NOT NULL,
      case_reference  text        NOT NULL DEFAULT '',
      reason          text        NOT NULL,
      started_at      timestamptz NOT NULL,
      ended_at        timestamptz,
      recorded_at     timestamptz NOT NULL DEFAULT now(),
      recorded_by     text        NOT NULL,
      approved_by     text,
      end_recorded_at timestamptz,
      end_recorded_by text,
      end_reason      text,
      CHECK (is_subject(subject_kind, subject_key1, subject_key2)),
      CHECK (NOT lifts_wider OR subject_kind = 1),
      CHECK ((ended_at IS NULL) = (end_recorded_at IS NULL))
    );
    CREATE INDEX release_subject ON release (subject_kind, subject_key1, subject_key2, scope);
    CREATE TABLE dirty (
      dirty_id      bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      subject_kind  smallint    NOT NULL,
      subject_key1  bigint      NOT NULL,
      subject_key2  bigint      NOT NULL,
      scope         integer     NOT NULL,
      priority      smallint    NOT NULL CHECK (priority BETWEEN 0 AND 2),
      CHECK (is_subject(subject_kind, subject_key1, subject_key2))
    );
    CREATE INDEX dirty_order ON dirty (priority, dirty_id);
    CREATE TABLE due (
      due_at        timestamptz NOT NULL,
      subject_kind  smallint    NOT NULL,
      subject_key1  bigint      NOT NULL,
      subject_key2  bigint      NOT NULL,
      scope         integer     NOT NULL,
      PRIMARY KEY (due_at, subject_kind, subject_key1, subject_key2, scope)
    );
    CREATE TABLE list_entry (
      subject_kind  smallint    NOT NULL,
      subject_key1  bigint      NOT NULL,
      subject_key2  bigint      NOT NULL,
      scope         integer     NOT NULL,
      status        smallint    NOT NULL CHECK (status BETWEEN 0 AND 2),
      ground_codes  text[]      NOT NULL,
      overridable   boolean     NOT NULL,
      since         timestamptz NOT NULL,
      position      bigint      NOT NULL,
      PRIMARY KEY (subject_kind, subject_key1, subject_key2, scope)
    );
    CREATE TABLE journal (
      position      bigint      PRIMARY KEY CHECK (position > 0),
      subject_kind  smallint    NOT NULL,
      subject_key1  bigint      NOT NULL,
      subject_key2  bigint      NOT NULL,
      scope         integer     NOT NULL,
      status        smallint    CHECK (status BETWEEN 0 AND 2),
      ground_codes  text[]      NOT NULL,
      overridable   boolean     NOT NULL
    );
    CREATE TABLE journal_batch (
      last_position  bigint      PRIMARY KEY,
      first_position bigint      NOT NULL,
      epoch          text        NOT NULL REFERENCES epoch (epoch),
      as_of          timestamptz NOT NULL,
      published_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
      CHECK (first_position <= last_position)
    );
    CREATE TABLE journal_digest (
      scope         integer     NOT NULL,
      last_position bigint      NOT NULL REFERENCES journal_batch,
      digest        bytea       NOT NULL CHECK (octet_length(digest) = 32),
      PRIMARY KEY (scope, last_position)
    );
    CREATE TABLE trail (
      trail_id      bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      at            timestamptz NOT NULL DEFAULT clock_timestamp(),
      actor         text        NOT NULL,
      action        text        NOT NULL,
      payload_hash  bytea       NOT NULL CHECK (octet_length(payload_hash) = 32)
    );
    CREATE TABLE trail_payload (
      trail_id      bigint      PRIMARY KEY REFERENCES trail,
      salt          bytea       NOT NULL CHECK (octet_length(salt) = 16),
      payload       text        NOT NULL
    );
    GRANT USAGE ON SCHEMA ceir TO ceir_publisher, ceir_service;
    GRANT SELECT ON ALL TABLES IN SCHEMA ceir TO ceir_service;
    GRANT INSERT ON operator, operator_plmn, operator_policy, node, node_report, api_token, import,
      tac_allocation, device, device_imei, ground, release, dirty, trail, trail_payload
      TO ceir_service;
    GRANT UPDATE (retired_at) ON operator TO ceir_service;
    GRANT UPDATE (until) ON operator_plmn, tac_allocation, device, device_imei TO ceir_service;
    GRANT UPDATE (revoked_at) ON node, api_token TO ceir_service;
    GRANT UPDATE (epoch, position, seen_at) ON node_report TO ceir_service;
    GRANT UPDATE (ended_at, end_recorded_at, end_recorded_by, end_reason) ON ground, release
      TO ceir_service;
    GRANT SELECT ON registry, epoch, operator, ground, release, dirty, due, list_entry, journal,
      journal_batch, journal_digest TO ceir_publisher;
    GRANT INSERT ON epoch, due, list_entry, journal, journal_batch, journal_digest
      TO ceir_publisher;
    GRANT DELETE ON dirty, due, list_entry TO ceir_publisher;
    GRANT UPDATE (status, ground_codes, overridable, since, position) ON list_entry
      TO ceir_publisher;
    """#
}

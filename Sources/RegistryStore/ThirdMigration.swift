extension Migrator {
  /// Sightings by month, reference lists, and rules; what each table is for stands in
  /// `Schema/database/registry.sql`.
  static let thirdMigration = #"""
    SET LOCAL search_path = ceir;
    ALTER TABLE import
      DROP CONSTRAINT import_kind_check,
      ADD CONSTRAINT import_kind_check CHECK (kind IN
                ('tac', 'stolen', 'operator', 'registration', 'pairing', 'golden', 'golden-hashed',
                 'barred', 'barred-tac', 'monitoring', 'subscribers', 'associations',
                 'type-approval')),
      ADD COLUMN operator_id integer REFERENCES operator,
      ADD COLUMN first_day date,
      ADD COLUMN last_day date,
      ADD COLUMN is_delta boolean NOT NULL DEFAULT false,
      ADD COLUMN accepted text[] NOT NULL DEFAULT '{}',
      ADD COLUMN accepted_reason text NOT NULL DEFAULT '',
      ADD COLUMN measured text NOT NULL DEFAULT '{}',
      ADD CHECK ((first_day IS NULL) = (last_day IS NULL)),
      ADD CHECK (first_day <= last_day);
    ALTER TABLE ground DROP CONSTRAINT ground_import_id_fkey;
    CREATE TABLE reference_row (
      list          text        NOT NULL CHECK (list IN
                    ('registration', 'monitoring', 'golden', 'subscribers', 'associations',
                     'type-approval')),
      source        text        NOT NULL,
      key1          bigint      NOT NULL,
      key_text      text        NOT NULL,
      attributes    text        NOT NULL,
      import_id     bigint      NOT NULL,
      since         timestamptz NOT NULL DEFAULT now(),
      until         timestamptz
    );
    CREATE UNIQUE INDEX reference_row_current ON reference_row (list, key1, key_text, source)
      WHERE until IS NULL;
    CREATE INDEX reference_row_history ON reference_row (list, key1, key_text)
      WHERE until IS NOT NULL;
    CREATE INDEX reference_row_import ON reference_row (import_id);
    ALTER TABLE sighting_live ALTER COLUMN received_at SET DEFAULT clock_timestamp();
    CREATE INDEX sighting_live_received ON sighting_live (received_at);
    CREATE TABLE sighting (
      month         date        NOT NULL,
      operator_id   integer     NOT NULL,
      imei          bigint      NOT NULL,
      imsi          bigint      NOT NULL,
      msisdn        bigint      NOT NULL,
      days          integer     NOT NULL,
      technologies  integer     NOT NULL
    ) PARTITION BY LIST (month);
    CREATE TABLE sighting_unusable (
      month         date        NOT NULL,
      operator_id   integer     NOT NULL REFERENCES operator,
      identity      text        NOT NULL CHECK (identity <> ''),
      imsi          bigint      NOT NULL,
      msisdn        bigint      NOT NULL,
      days          integer     NOT NULL,
      technologies  integer     NOT NULL,
      PRIMARY KEY (month, operator_id, identity, imsi, msisdn)
    );
    CREATE TABLE sighting_day (
      operator_id   integer     NOT NULL REFERENCES operator,
      day           date        NOT NULL,
      import_id     bigint      NOT NULL REFERENCES import,
      imeis         bigint      NOT NULL,
      imsis         bigint      NOT NULL,
      triplets      bigint      NOT NULL,
      PRIMARY KEY (operator_id, day)
    );
    CREATE TABLE sighting_merge (
      only_row      boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
      merged_until  timestamptz NOT NULL
    );
    CREATE TABLE seen_imei (
      imei          bigint      PRIMARY KEY,
      first_day     date        NOT NULL,
      last_day      date        NOT NULL,
      CHECK (first_day <= last_day)
    );
    CREATE TABLE condition (
      label         text        NOT NULL CHECK (label ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
      version       integer     NOT NULL CHECK (version > 0),
      document      text,
      since         timestamptz NOT NULL DEFAULT now(),
      set_by        text        NOT NULL,
      reason        text        NOT NULL,
      PRIMARY KEY (label, version)
    );
    CREATE TABLE rule_settings (
      version       integer     PRIMARY KEY CHECK (version > 0),
      document      text        NOT NULL,
      since         timestamptz NOT NULL DEFAULT now(),
      set_by        text        NOT NULL,
      reason        text        NOT NULL
    );
    CREATE TABLE job_run (
      run_id        bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      job           text        NOT NULL,
      as_of         date        NOT NULL,
      started_at    timestamptz NOT NULL DEFAULT now(),
      started_by    text        NOT NULL,
      ended_at      timestamptz,
      state         text        NOT NULL DEFAULT 'running'
                    CHECK (state IN ('running', 'finished', 'stopped', 'failed')),
      report        text        NOT NULL DEFAULT '{}',
      CHECK ((ended_at IS NULL) = (state = 'running'))
    );
    CREATE UNIQUE INDEX job_run_current ON job_run (job) WHERE ended_at IS NULL;
    CREATE TABLE classification (
      classification_id bigint  PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      condition     text        NOT NULL,
      imei          bigint      NOT NULL CHECK (imei BETWEEN -1 AND 99999999999999),
      identity      text        NOT NULL,
      since         date        NOT NULL,
      block_on      date,
      has_amnesty   boolean     NOT NULL,
      ground_id     bigint      REFERENCES ground,
      run_id        bigint      NOT NULL REFERENCES job_run,
      until         date,
      end_run_id    bigint      REFERENCES job_run,
      CHECK ((imei = -1) = (identity <> '')),
      CHECK ((until IS NULL) = (end_run_id IS NULL))
    );
    CREATE UNIQUE INDEX classification_open ON classification (imei, condition, identity)
      WHERE until IS NULL;
    CREATE INDEX classification_run ON classification (run_id);
    CREATE INDEX classification_end ON classification (end_run_id) WHERE end_run_id IS NOT NULL;
    CREATE TABLE classify_pending (
      pending_id    bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      imei          bigint      NOT NULL CHECK (imei BETWEEN -1 AND 99999999999999)
    );
    CREATE UNLOGGED TABLE classify_subject (
      run_id        bigint      NOT NULL,
      imei          bigint      NOT NULL,
      PRIMARY KEY (run_id, imei)
    );
    GRANT SELECT ON reference_row, sighting, sighting_unusable, sighting_day, sighting_merge,
      seen_imei, condition, rule_settings, job_run, classification, classify_pending,
      classify_subject TO ceir_service;
    """# + thirdMigrationFunctions
}

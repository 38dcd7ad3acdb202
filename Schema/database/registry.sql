-- The whole schema of a registry (CEIR), for readers. Migrations in
-- Sources/RegistryStore arrive at the same catalogue; a test proves it.
--
-- Words: Schema/README.md. Rules:
--   * History is kept: rows gain an end, they are not overwritten. Times are UTC, whole seconds
--     where they are exchanged.
--   * A subject is (subject_kind, subject_key1, subject_key2): 1 IMEI (14 digits, 0); 2 IMEI range
--     (first, last); 3 TAC (8 digits, 0); 4 pairing (IMEI, length of the IMSI × 10^15 + IMSI).
--   * A scope is 0 for every operator, or an operator_id.
--   * A status is that of Equipment-Status, TS 29.272, 7.3.51: 0 white, 1 black, 2 grey.
--   * Absent is 0 in a key, never NULL.

CREATE SCHEMA ceir;
SET LOCAL search_path = ceir;

-- Which migrations have been applied, and the SHA-256 of their text.
CREATE TABLE migration (
  version    integer     PRIMARY KEY,
  name       text        NOT NULL,
  sha256     bytea       NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);

-- ---------------------------------------------------------------------------------------------
-- The registry itself

CREATE TABLE registry (
  only_row    boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
  name        text        NOT NULL CHECK (name ~ '^[!#-+\-.-\[\]-~]{1,32}$'),
  time_zone   text        NOT NULL,              -- defines a day and a block date
  created_at  timestamptz NOT NULL DEFAULT now()
);

-- One uninterrupted history. A position means something only together with its epoch.
CREATE TABLE epoch (
  epoch_number      integer     PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  epoch             text        NOT NULL UNIQUE CHECK (epoch ~ '^[0-9a-f]{32}$'),
  started_at        timestamptz NOT NULL DEFAULT now(),
  after_position    bigint      NOT NULL,        -- the journal's head when it began
  reason            text        NOT NULL,
  -- Of the cluster in which it began: another value later means a restore or a promotion.
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

-- MCC and MNC, TS 23.003, 2.2. A network belongs to one operator at a time.
CREATE TABLE operator_plmn (
  plmn         text        NOT NULL CHECK (plmn ~ '^[0-9]{5,6}$'),
  operator_id  integer     NOT NULL REFERENCES operator,
  since        timestamptz NOT NULL DEFAULT now(),
  until        timestamptz,
  PRIMARY KEY (plmn, since)
);
CREATE UNIQUE INDEX operator_plmn_current ON operator_plmn (plmn) WHERE until IS NULL;

-- What the regulator has agreed with an operator. The newest version is in force.
CREATE TABLE operator_policy (
  operator_id  integer     NOT NULL REFERENCES operator,
  version      integer     NOT NULL CHECK (version > 0),
  -- What a device on no list is answered as: ITU-T Q Suppl. 73.
  mode         text        NOT NULL CHECK (mode IN ('unknown', 'white', 'grey', 'black')),
  since        timestamptz NOT NULL DEFAULT now(),
  set_by       text        NOT NULL,
  -- What becomes of its requests: accepted at once for its own subscribers, reviewed, or refused.
  block_requests   text    NOT NULL DEFAULT 'reviewed'
                           CHECK (block_requests IN ('accepted', 'reviewed', 'refused')),
  unblock_requests text    NOT NULL DEFAULT 'reviewed'
                           CHECK (unblock_requests IN ('accepted', 'reviewed', 'refused')),
  daily_limit      integer NOT NULL DEFAULT 1000 CHECK (daily_limit >= 0),  -- requests in a day
  PRIMARY KEY (operator_id, version)
);

-- One EIR process of an operator, made with its first certificate.
CREATE TABLE node (
  node_id      integer     PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  operator_id  integer     NOT NULL REFERENCES operator,
  name         text        NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
  created_at   timestamptz NOT NULL DEFAULT now(),
  revoked_at   timestamptz
);
CREATE UNIQUE INDEX node_current ON node (operator_id, name) WHERE revoked_at IS NULL;

-- What a node last said of itself; the one table besides list_entry whose rows are overwritten.
CREATE TABLE node_report (
  node_id      integer     PRIMARY KEY REFERENCES node,
  epoch        text,                             -- NULL: it has no list yet
  position     bigint,
  digest       bytea       CHECK (octet_length(digest) = 32),
  held         bigint      CHECK (held >= 0),    -- subjects that its brake keeps as before
  style        text        CHECK (style IN ('follow', 'push', 'pushAsync', 'files')),
  seen_at      timestamptz NOT NULL,
  -- Of the machine that spoke last, and of the one that spoke before it.
  instance          text   CHECK (instance ~ '^[0-9a-f]{32}$'),
  serial            text,                        -- of its certificate
  former_instance   text,
  former_serial     text,
  former_seen_at    timestamptz,
  -- When a machine came back within a day of another that uses the same name.
  other_instance_at timestamptz,
  shares_serial     boolean NOT NULL DEFAULT false    -- whether both had the same certificate
);

-- Certificates that the registry has issued. Schema/exchange/: trust.
CREATE TABLE certificate (
  serial        text        PRIMARY KEY CHECK (serial ~ '^[0-9a-f]{1,40}$'),
  role          text        NOT NULL CHECK (role IN ('ceir', 'signer', 'node')),
  node_id       integer     REFERENCES node,
  not_before    timestamptz NOT NULL,
  not_after     timestamptz NOT NULL,
  issued_at     timestamptz NOT NULL DEFAULT now(),
  issued_by     text        NOT NULL,
  revoked_at    timestamptz,
  revoked_by    text,
  revoke_reason text,
  CHECK ((role = 'node') = (node_id IS NOT NULL)),
  CHECK (not_before < not_after),
  CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
  CHECK ((revoked_at IS NULL) = (revoke_reason IS NULL))
);
CREATE INDEX certificate_node ON certificate (node_id) WHERE node_id IS NOT NULL;
CREATE INDEX certificate_revoked ON certificate (not_after) WHERE revoked_at IS NOT NULL;

-- How an operator or one of its nodes is told of changes: versions of a set of parameters. The
-- newest that is confirmed and effective is in force.
CREATE TABLE exchange_parameters (
  operator_id     integer     NOT NULL REFERENCES operator,
  version         integer     NOT NULL CHECK (version > 0),
  node_id         integer     NOT NULL,          -- 0: every node of the operator
  style           text        NOT NULL
                  CHECK (style IN ('follow', 'push', 'pushAsync', 'files')),
  -- A position; with the style files, the number of a replication.
  effective_after bigint      NOT NULL CHECK (effective_after >= 0),
  document        text        NOT NULL,          -- JSON, as it is sent
  proposed_at     timestamptz NOT NULL DEFAULT now(),
  proposed_by     text        NOT NULL,
  PRIMARY KEY (operator_id, version)
);

-- That a node has agreed to a version, or an administrator (node_id 0) for all of them.
CREATE TABLE exchange_confirmation (
  operator_id     integer     NOT NULL,
  version         integer     NOT NULL,
  node_id         integer     NOT NULL,
  confirmed_at    timestamptz NOT NULL DEFAULT now(),
  confirmed_by    text        NOT NULL,
  PRIMARY KEY (operator_id, version, node_id),
  FOREIGN KEY (operator_id, version) REFERENCES exchange_parameters
);

-- Who may use the interface for people. Only the SHA-256 of a token is kept.
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

-- ---------------------------------------------------------------------------------------------
-- Reference data and what was handed over

-- One file, once. The same bytes again, from the same source, are recognised.
CREATE TABLE import (
  import_id     bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  kind          text        NOT NULL CHECK (kind IN
                ('tac', 'stolen', 'operator', 'registration', 'pairing', 'golden', 'golden-hashed',
                 'barred', 'barred-tac', 'monitoring', 'subscribers', 'associations',
                 'type-approval')),
  file_name     text        NOT NULL,
  sha256        bytea       NOT NULL CHECK (octet_length(sha256) = 32),
  source        text        NOT NULL,
  form          text        NOT NULL,            -- how it was read: dialled, signalled, full …
  rows_read     bigint      NOT NULL,
  rows_kept     bigint      NOT NULL,
  rows_repeated bigint      NOT NULL,
  rows_refused  bigint      NOT NULL,
  imported_at   timestamptz NOT NULL DEFAULT now(),
  imported_by   text        NOT NULL,
  after_position bigint     NOT NULL DEFAULT 0,  -- where the journal ended: its changes come later
  operator_id   integer     REFERENCES operator, -- whose networks the file is about
  first_day     date,                            -- what it covers, where it is about days
  last_day      date,
  is_delta      boolean     NOT NULL DEFAULT false,
  -- The checks that were set aside for this file, and why.
  accepted      text[]      NOT NULL DEFAULT '{}',
  accepted_reason text      NOT NULL DEFAULT '',
  measured      text        NOT NULL DEFAULT '{}',   -- JSON: what each check found
  CHECK ((first_day IS NULL) = (last_day IS NULL)),
  CHECK (first_day <= last_day)
);
CREATE INDEX import_content ON import (kind, sha256);

-- Type allocations, GSMA TS.06. A change ends the row and begins another.
CREATE TABLE tac_allocation (
  tac           integer     NOT NULL CHECK (tac BETWEEN 0 AND 99999999),
  manufacturer  text        NOT NULL,
  model         text        NOT NULL,
  attributes    jsonb       NOT NULL,            -- the other columns, as they came
  import_id     bigint      NOT NULL REFERENCES import,
  since         timestamptz NOT NULL DEFAULT now(),
  until         timestamptz
);
CREATE UNIQUE INDEX tac_allocation_current ON tac_allocation (tac) WHERE until IS NULL;
CREATE INDEX tac_allocation_history ON tac_allocation (tac, since);

-- What other lists say: one row per list, source and key. A change ends the row and begins another.
--   registration   key1 IMEI                     attributes: status, make, model, device …
--   monitoring     key1 IMEI
--   golden         key_text MD5 of an IMEI's 14 digits, 32 hexadecimal digits
--   subscribers    key1 IMSI (packed), key_text the person
--   associations   key1 IMEI, key_text the person
--   type-approval  key1 TAC                      attributes
CREATE TABLE reference_row (
  list          text        NOT NULL CHECK (list IN
                ('registration', 'monitoring', 'golden', 'subscribers', 'associations',
                 'type-approval')),
  source        text        NOT NULL,
  key1          bigint      NOT NULL,
  key_text      text        NOT NULL,
  attributes    text        NOT NULL,            -- JSON, '{}' where there are none
  -- Of import. Not checked row by row, which would take a third of the time: what has one comes from
  -- that import, in its transaction, and no import is ever deleted.
  import_id     bigint      NOT NULL,
  since         timestamptz NOT NULL DEFAULT now(),
  until         timestamptz
);
CREATE UNIQUE INDEX reference_row_current ON reference_row (list, key1, key_text, source)
  WHERE until IS NULL;
CREATE INDEX reference_row_history ON reference_row (list, key1, key_text)
  WHERE until IS NOT NULL;
CREATE INDEX reference_row_import ON reference_row (import_id);

-- A device has one IMEI per SIM that can be served at the same time. GSMA TS.06, 8.
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

-- ---------------------------------------------------------------------------------------------
-- Why: grounds and releases

-- Whether the numbers can name a subject. What cannot would stop the publisher.
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

-- One reason, from one source, to treat a subject in one way. Added and ended, never overwritten.
CREATE TABLE ground (
  ground_id       bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  subject_kind    smallint    NOT NULL,
  subject_key1    bigint      NOT NULL,
  subject_key2    bigint      NOT NULL,
  scope           integer     NOT NULL CHECK (scope >= 0),
  code            text        NOT NULL,
  status          smallint    NOT NULL CHECK (status BETWEEN 0 AND 2),
  overridable     boolean     NOT NULL,
  source          text        NOT NULL,          -- ends only its own grounds
  case_reference  text        NOT NULL DEFAULT '',
  reason          text        NOT NULL DEFAULT '',
  device_id       bigint      REFERENCES device, -- the device that the case named
  import_id       bigint,                        -- of import; not checked row by row
  started_at      timestamptz NOT NULL,
  ended_at        timestamptz,
  recorded_at     timestamptz NOT NULL DEFAULT now(),
  recorded_by     text        NOT NULL,
  end_recorded_at timestamptz,
  end_recorded_by text,
  end_reason      text,
  CHECK (is_subject(subject_kind, subject_key1, subject_key2)),
  CHECK (subject_kind <> 4 OR status <> 2),      -- a pairing is an exception or a block
  CHECK ((ended_at IS NULL) = (end_recorded_at IS NULL))
);
CREATE INDEX ground_subject ON ground (subject_kind, subject_key1, subject_key2, scope);
CREATE INDEX ground_device ON ground (device_id) WHERE device_id IS NOT NULL;
CREATE INDEX ground_import ON ground (import_id) WHERE import_id IS NOT NULL;
CREATE INDEX ground_own ON ground (scope, source) WHERE scope <> 0 AND ended_at IS NULL;

-- A regulator's decision that grounds of these codes, whoever gave them, count for nothing: the
-- one-step undo of a wrong block. It also covers grounds of its subject that come while it lasts.
CREATE TABLE release (
  release_id      bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  subject_kind    smallint    NOT NULL,
  subject_key1    bigint      NOT NULL,
  subject_key2    bigint      NOT NULL,
  scope           integer     NOT NULL CHECK (scope >= 0),
  codes           text[]      NOT NULL CHECK (cardinality(codes) > 0),
  -- Whether one of the grounds is on the type or a range of the device: then the device itself is
  -- put on the list, white.
  lifts_wider     boolean     NOT NULL,
  case_reference  text        NOT NULL DEFAULT '',
  reason          text        NOT NULL,
  started_at      timestamptz NOT NULL,
  ended_at        timestamptz,
  recorded_at     timestamptz NOT NULL DEFAULT now(),
  recorded_by     text        NOT NULL,
  approved_by     text,                          -- a second person, where one is required
  end_recorded_at timestamptz,
  end_recorded_by text,
  end_reason      text,
  CHECK (is_subject(subject_kind, subject_key1, subject_key2)),
  CHECK (NOT lifts_wider OR subject_kind = 1),
  CHECK ((ended_at IS NULL) = (end_recorded_at IS NULL))
);
CREATE INDEX release_subject ON release (subject_kind, subject_key1, subject_key2, scope);

-- ---------------------------------------------------------------------------------------------
-- What: queue, entries, journal. Written by the publisher alone, but for marks in dirty.

-- Subjects whose grounds have changed. A plain queue without a unique subject: a mark must never
-- be lost against one that is just being taken.
CREATE TABLE dirty (
  dirty_id      bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  subject_kind  smallint    NOT NULL,
  subject_key1  bigint      NOT NULL,
  subject_key2  bigint      NOT NULL,
  scope         integer     NOT NULL,
  -- 0 a person's release, 1 a person's block, 2 mass
  priority      smallint    NOT NULL CHECK (priority BETWEEN 0 AND 2),
  CHECK (is_subject(subject_kind, subject_key1, subject_key2))
);
CREATE INDEX dirty_order ON dirty (priority, dirty_id);

-- When a ground or a release that is already recorded begins or ends.
CREATE TABLE due (
  due_at        timestamptz NOT NULL,
  subject_kind  smallint    NOT NULL,
  subject_key1  bigint      NOT NULL,
  subject_key2  bigint      NOT NULL,
  scope         integer     NOT NULL,
  PRIMARY KEY (due_at, subject_kind, subject_key1, subject_key2, scope)
);

-- The fold of the grounds in force: the list itself.
CREATE TABLE list_entry (
  subject_kind  smallint    NOT NULL,
  subject_key1  bigint      NOT NULL,
  subject_key2  bigint      NOT NULL,
  scope         integer     NOT NULL,
  status        smallint    NOT NULL CHECK (status BETWEEN 0 AND 2),
  ground_codes  text[]      NOT NULL,
  overridable   boolean     NOT NULL,
  since         timestamptz NOT NULL,
  position      bigint      NOT NULL,            -- of the change that made it so
  PRIMARY KEY (subject_kind, subject_key1, subject_key2, scope)
);

-- Every change of an entry, in order. Positions are dense: 1, 2, 3 … The primary key is also the
-- fence: of two publishers that both believe to lead, one cannot write.
CREATE TABLE journal (
  position      bigint      PRIMARY KEY CHECK (position > 0),
  subject_kind  smallint    NOT NULL,
  subject_key1  bigint      NOT NULL,
  subject_key2  bigint      NOT NULL,
  scope         integer     NOT NULL,
  status        smallint    CHECK (status BETWEEN 0 AND 2),   -- NULL: left the list
  ground_codes  text[]      NOT NULL,
  overridable   boolean     NOT NULL
);

-- One row per transaction of the publisher: the places where a delta may end.
CREATE TABLE journal_batch (
  last_position  bigint      PRIMARY KEY,
  first_position bigint      NOT NULL,
  epoch          text        NOT NULL REFERENCES epoch (epoch),
  as_of          timestamptz NOT NULL,           -- the moment of the fold; never goes back
  published_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  CHECK (first_position <= last_position)
);

-- The digest of a scope's entries after a batch that changed them. Schema/exchange/digest.md.
CREATE TABLE journal_digest (
  scope         integer     NOT NULL,
  last_position bigint      NOT NULL REFERENCES journal_batch,
  digest        bytea       NOT NULL CHECK (octet_length(digest) = 32),
  PRIMARY KEY (scope, last_position)
);
CREATE INDEX journal_digest_batch ON journal_digest (last_position);

-- That a token of role approver has approved the mass change of an import. Two make a mark.
CREATE TABLE mass_approval (
  import_id     bigint      NOT NULL REFERENCES import,
  token_id      integer     NOT NULL REFERENCES api_token,
  approved_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (import_id, token_id)
);

-- A mass change that two have approved: nodes do not hold its changes. Carried by checkpoints.
CREATE TABLE mass_mark (
  import_id      bigint      PRIMARY KEY REFERENCES import,
  after_position bigint      NOT NULL,
  up_to_position bigint      NOT NULL,
  blacks         bigint      NOT NULL CHECK (blacks > 0),
  marked_at      timestamptz NOT NULL DEFAULT now(),
  CHECK (after_position < up_to_position)
);

-- ---------------------------------------------------------------------------------------------
-- What operators send, and what is kept of it

-- A message that changed something, so that its repetition gets the same answer. Kept for 7 days.
CREATE TABLE exchange_message (
  node_id       integer     NOT NULL REFERENCES node,
  key           text        NOT NULL CHECK (key ~ '^[A-Za-z0-9._-]{1,64}$'),
  hash          bytea       NOT NULL CHECK (octet_length(hash) = 32),  -- method, path, body
  received_at   timestamptz NOT NULL DEFAULT now(),
  status        smallint,                        -- of the answer, as HTTP has it
  content_type  text,
  location      text,
  body          bytea,
  PRIMARY KEY (node_id, key)
);
CREATE INDEX exchange_message_received ON exchange_message (received_at);

-- A query that is answered later. Personal data: the request goes when it is answered, the rest
-- after 24 hours.
CREATE TABLE exchange_query (
  query         text        PRIMARY KEY DEFAULT replace(gen_random_uuid()::text, '-', ''),
  node_id       integer     NOT NULL REFERENCES node,
  received_at   timestamptz NOT NULL DEFAULT now(),
  request       bytea,
  answer        bytea,
  code          integer,                         -- of the exchange, where it has no answer
  answered_at   timestamptz,
  CHECK ((request IS NULL) = (answered_at IS NOT NULL)),
  CHECK ((answered_at IS NULL) = (answer IS NULL AND code IS NULL)),
  CHECK (answer IS NULL OR code IS NULL)
);
CREATE INDEX exchange_query_received ON exchange_query (received_at);
CREATE INDEX exchange_query_pending ON exchange_query (received_at) WHERE answered_at IS NULL;

-- What an operator asks for a device.
CREATE TABLE operator_request (
  request_id     bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  request        text        NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
  operator_id    integer     NOT NULL REFERENCES operator,
  node_id        integer     NOT NULL REFERENCES node,
  kind           text        NOT NULL CHECK (kind IN ('block', 'unblock')),
  imei           bigint      NOT NULL CHECK (imei BETWEEN 0 AND 99999999999999),
  imsi           bigint      NOT NULL,           -- personal data; 0: none, or erased
  subscriber     text        NOT NULL CHECK (subscriber IN ('none', 'own', 'other')),
  reason         text        NOT NULL,
  case_reference text        NOT NULL,
  state          text        NOT NULL CHECK (state IN ('pending', 'accepted', 'refused')),
  marks          bigint[]    NOT NULL DEFAULT '{}',   -- in dirty, until they are published
  position       bigint,                         -- every list that has reached it holds the change
  received_at    timestamptz NOT NULL DEFAULT now(),
  decided_at     timestamptz,
  decided_by     text,
  refusal        text,                           -- why, for the operator
  CHECK ((state = 'pending') = (decided_at IS NULL)),
  CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
  CHECK ((state = 'refused') = (refusal IS NOT NULL)),
  CHECK (position IS NULL OR state = 'accepted')
);
CREATE INDEX operator_request_order ON operator_request (operator_id, request_id);
CREATE INDEX operator_request_received ON operator_request (operator_id, received_at);
CREATE INDEX operator_request_pending ON operator_request (request_id) WHERE state = 'pending';
CREATE INDEX operator_request_accepted ON operator_request (request_id)
  WHERE state = 'accepted' AND position IS NULL;
CREATE INDEX operator_request_subscriber ON operator_request (received_at) WHERE imsi <> 0;

-- What networks have seen today. Personal data, kept for some days.
CREATE TABLE sighting_live (
  operator_id   integer     NOT NULL REFERENCES operator,
  day           date        NOT NULL,            -- by the registry's calendar
  imei          bigint      NOT NULL CHECK (imei BETWEEN -1 AND 99999999999999),
  identity      text        NOT NULL,            -- as it came, where it is no IMEI: imei is −1
  imsi          bigint      NOT NULL,
  -- What the node answered: that of list_entry, or 3 on no list.
  status        smallint    NOT NULL CHECK (status BETWEEN 0 AND 3),
  msisdn        bigint      NOT NULL,            -- 0: none
  technology    text        NOT NULL,
  seen_at       timestamptz NOT NULL,
  received_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  CHECK ((imei = -1) = (identity <> '')),
  PRIMARY KEY (operator_id, day, imei, identity, imsi, status)
);
CREATE INDEX sighting_live_day ON sighting_live (day);
CREATE INDEX sighting_live_received ON sighting_live (received_at);

-- What networks have seen in a month: one row per IMEI, IMSI and MSISDN. Partitioned by month, then
-- by operator; a leaf is `sighting_YYYYMM_OPERATOR`, has the primary key (imei, imsi, msisdn), and
-- is replaced as a whole. Personal data.
CREATE TABLE sighting (
  month         date        NOT NULL,            -- its first day
  operator_id   integer     NOT NULL,
  imei          bigint      NOT NULL,
  imsi          bigint      NOT NULL,            -- packed; 0: none
  msisdn        bigint      NOT NULL,            -- packed; 0: none
  days          integer     NOT NULL,            -- bit 0 is the first of the month
  technologies  integer     NOT NULL             -- bits: RadioTechnology
) PARTITION BY LIST (month);

-- The same for what is no IMEI, as it came.
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

-- How much an operator's file had on a day: what the next file is held against. A day without a
-- row was never handed over.
CREATE TABLE sighting_day (
  operator_id   integer     NOT NULL REFERENCES operator,
  day           date        NOT NULL,
  import_id     bigint      NOT NULL REFERENCES import,
  imeis         bigint      NOT NULL,
  imsis         bigint      NOT NULL,            -- pairs of IMEI and IMSI
  triplets      bigint      NOT NULL,
  PRIMARY KEY (operator_id, day)
);

-- Up to when live sightings have been taken into the months.
CREATE TABLE sighting_merge (
  only_row      boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
  merged_until  timestamptz NOT NULL
);

-- IMEIs of months that are no longer kept: no personal data.
CREATE TABLE seen_imei (
  imei          bigint      PRIMARY KEY,
  first_day     date        NOT NULL,
  last_day      date        NOT NULL,
  CHECK (first_day <= last_day)
);

-- ---------------------------------------------------------------------------------------------
-- Rules and what they find

-- A named rule: the newest version counts. NULL: it is no longer applied.
CREATE TABLE condition (
  label         text        NOT NULL CHECK (label ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
  version       integer     NOT NULL CHECK (version > 0),
  document      text,                            -- JSON; Schema/rules.md
  since         timestamptz NOT NULL DEFAULT now(),
  set_by        text        NOT NULL,
  reason        text        NOT NULL,
  PRIMARY KEY (label, version)
);

-- What the rules of this country have in common: the newest version counts.
CREATE TABLE rule_settings (
  version       integer     PRIMARY KEY CHECK (version > 0),
  document      text        NOT NULL,            -- JSON; Schema/rules.md
  since         timestamptz NOT NULL DEFAULT now(),
  set_by        text        NOT NULL,
  reason        text        NOT NULL
);

-- One run of a job. A job that is under way has no end; a step checks that its run is that one.
CREATE TABLE job_run (
  run_id        bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  job           text        NOT NULL,
  as_of         date        NOT NULL,
  started_at    timestamptz NOT NULL DEFAULT now(),
  started_by    text        NOT NULL,
  ended_at      timestamptz,
  state         text        NOT NULL DEFAULT 'running'
                CHECK (state IN ('running', 'finished', 'stopped', 'failed')),
  report        text        NOT NULL DEFAULT '{}',   -- JSON: counts and durations
  CHECK ((ended_at IS NULL) = (state = 'running'))
);
CREATE UNIQUE INDEX job_run_current ON job_run (job) WHERE ended_at IS NULL;

-- That a condition holds for a device, from one run to another. The block date is a promise to the
-- subscriber: it never moves nearer.
CREATE TABLE classification (
  classification_id bigint  PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  condition     text        NOT NULL,
  imei          bigint      NOT NULL CHECK (imei BETWEEN -1 AND 99999999999999),
  identity      text        NOT NULL,            -- as it came, where it is no IMEI: imei is −1
  since         date        NOT NULL,
  block_on      date,                            -- NULL: informative, or in the amnesty's first part
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

-- Devices whose sightings or reference data have changed since the last run; imei −1: all of them.
CREATE TABLE classify_pending (
  pending_id    bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  imei          bigint      NOT NULL CHECK (imei BETWEEN -1 AND 99999999999999)
);

-- Devices that a run looks at, where it does not look at all of them.
CREATE UNLOGGED TABLE classify_subject (
  run_id        bigint      NOT NULL,
  imei          bigint      NOT NULL,
  PRIMARY KEY (run_id, imei)
);

-- A file written for an operator. Numbers rise by one.
CREATE TABLE replication (
  operator_id         integer     NOT NULL REFERENCES operator,
  number              bigint      NOT NULL CHECK (number > 0),
  kind                text        NOT NULL CHECK (kind IN ('full', 'incremental')),
  file_name           text        NOT NULL,
  bytes               bigint      NOT NULL,
  sha256              bytea       NOT NULL CHECK (octet_length(sha256) = 32),
  records             bigint      NOT NULL,
  parameters_version  integer     NOT NULL,
  epoch               text        NOT NULL,
  after_position      bigint      NOT NULL,
  up_to_position      bigint      NOT NULL,
  manifest            text        NOT NULL,      -- JSON, exactly as it is published
  written_at          timestamptz NOT NULL DEFAULT now(),
  published_at        timestamptz,               -- shown to the operator
  resend_requested_at timestamptz,               -- it is wanted again
  removed_at          timestamptz,               -- it is no longer kept
  PRIMARY KEY (operator_id, number)
);
CREATE INDEX replication_unpublished ON replication (operator_id, number)
  WHERE published_at IS NULL;
CREATE INDEX replication_resend ON replication (resend_requested_at)
  WHERE resend_requested_at IS NOT NULL;
CREATE INDEX replication_kept ON replication (operator_id, number) WHERE removed_at IS NULL;
CREATE INDEX replication_full ON replication (operator_id, number) WHERE kind = 'full';

-- A file that a node has handed over. Numbers rise by one; each is processed once.
CREATE TABLE inbound_file (
  node_id       integer     NOT NULL REFERENCES node,
  number        bigint      NOT NULL CHECK (number > 0),
  kind          text        NOT NULL CHECK (kind IN
                ('requests', 'own-full', 'own-delta', 'sightings', 'resend', 'acknowledgement')),
  file_name     text        NOT NULL,
  sha256        bytea       NOT NULL CHECK (octet_length(sha256) = 32),
  state         text        NOT NULL CHECK (state IN ('processed', 'refused')),
  code          integer,                         -- why the file was refused as a whole
  taken         bigint      NOT NULL,
  refused       bigint      NOT NULL,
  response      bytea       NOT NULL,            -- the refused lines, as they are answered
  processed_at  timestamptz NOT NULL DEFAULT now(),
  CHECK ((state = 'refused') = (code IS NOT NULL)),
  PRIMARY KEY (node_id, number)
);

-- ---------------------------------------------------------------------------------------------
-- The activity trail: every change, and every person's look at personal data

CREATE TABLE trail (
  trail_id      bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  at            timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor         text        NOT NULL,
  action        text        NOT NULL,
  -- SHA-256 of salt and payload, so that the row still proves what an erased payload was.
  payload_hash  bytea       NOT NULL CHECK (octet_length(payload_hash) = 32)
);

CREATE TABLE trail_payload (
  trail_id      bigint      PRIMARY KEY REFERENCES trail,
  salt          bytea       NOT NULL CHECK (octet_length(salt) = 16),
  payload       text        NOT NULL             -- JSON, exactly the bytes that were hashed
);

-- ---------------------------------------------------------------------------------------------
-- Retention. No role may delete history; these functions of the owner's do, in bounded steps, and
-- never what is younger than their purpose allows. Each returns how many rows went.

-- The journal's oldest batches, if they are older than so many days: whole batches, never the last.
-- Of each scope the digest at the new beginning stays, so that a node that stands there can go on.
-- A step takes at least 100,000 rows: more than a batch can have, or it would never get past one.
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

-- The subscribers of requests that are decided; the requests stay.
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

-- ---------------------------------------------------------------------------------------------
-- Months of sightings. A role that may insert may not make tables: these functions of the owner do,
-- and nothing else with them.

-- The table of a month, if it is not there yet.
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

-- An empty table beside that of an operator's month; its name. Within one transaction with
-- finish_sightings.
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

-- Puts it in the place of the one before.
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

-- Ends the oldest month, if it is older than so many months: the IMEIs stay, who used them goes.
-- Returns how many rows went.
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

-- A moment after every live sighting that has been stored, and before every one that has not.
CREATE FUNCTION live_horizon() RETURNS timestamptz
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = ceir, pg_temp
AS $$
BEGIN
  LOCK TABLE sighting_live IN SHARE MODE;
  RETURN clock_timestamp();
END
$$;

-- Takes the live sightings from one moment to another into their months; the devices that have
-- changed are looked at by the next run. Returns how many rows there were.
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

-- ---------------------------------------------------------------------------------------------
-- Roles: one per process, with only its verbs. They cannot log in; a connection takes one with
-- SET ROLE.

GRANT USAGE ON SCHEMA ceir TO ceir_publisher, ceir_service;

GRANT SELECT ON ALL TABLES IN SCHEMA ceir TO ceir_service;
GRANT INSERT ON operator, operator_plmn, operator_policy, node, node_report, api_token, import,
  tac_allocation, device, device_imei, ground, release, dirty, trail, trail_payload
  TO ceir_service;
GRANT UPDATE (retired_at) ON operator TO ceir_service;
GRANT UPDATE (until) ON operator_plmn, tac_allocation, device, device_imei TO ceir_service;
GRANT UPDATE (revoked_at) ON node, api_token TO ceir_service;
GRANT UPDATE (epoch, position, digest, held, style, seen_at, instance, serial, former_instance,
  former_serial, former_seen_at, other_instance_at, shares_serial) ON node_report TO ceir_service;
GRANT UPDATE (ended_at, end_recorded_at, end_recorded_by, end_reason) ON ground, release
  TO ceir_service;
GRANT INSERT ON certificate, exchange_parameters, exchange_confirmation, exchange_message,
  exchange_query, operator_request, sighting_live, mass_approval, mass_mark, replication,
  inbound_file TO ceir_service;
GRANT UPDATE (revoked_at, revoked_by, revoke_reason) ON certificate TO ceir_service;
GRANT UPDATE (status, content_type, location, body) ON exchange_message TO ceir_service;
GRANT UPDATE (request, answer, code, answered_at) ON exchange_query TO ceir_service;
GRANT UPDATE (state, marks, position, decided_at, decided_by, refusal) ON operator_request
  TO ceir_service;
GRANT UPDATE (published_at, resend_requested_at, removed_at) ON replication TO ceir_service;
GRANT EXECUTE ON FUNCTION trim_journal, erase_messages, erase_queries, erase_sightings,
  erase_subscribers TO ceir_service;

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

GRANT SELECT ON registry, epoch, operator, ground, release, dirty, due, list_entry, journal,
  journal_batch, journal_digest TO ceir_publisher;
GRANT INSERT ON epoch, due, list_entry, journal, journal_batch, journal_digest TO ceir_publisher;
GRANT DELETE ON dirty, due, list_entry TO ceir_publisher;
GRANT UPDATE (status, ground_codes, overridable, since, position) ON list_entry
  TO ceir_publisher;

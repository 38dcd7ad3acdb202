extension Migrator {
  /// What the exchange between registry and operators keeps; what each table is for stands in
  /// `Schema/database/registry.sql`.
  static let secondMigration = #"""
    SET LOCAL search_path = ceir;
    ALTER TABLE operator_policy
      ADD COLUMN block_requests text NOT NULL DEFAULT 'reviewed'
        CHECK (block_requests IN ('accepted', 'reviewed', 'refused')),
      ADD COLUMN unblock_requests text NOT NULL DEFAULT 'reviewed'
        CHECK (unblock_requests IN ('accepted', 'reviewed', 'refused')),
      ADD COLUMN daily_limit integer NOT NULL DEFAULT 1000 CHECK (daily_limit >= 0);
    ALTER TABLE node DROP COLUMN token_hash;
    ALTER TABLE node_report
      ALTER COLUMN epoch DROP NOT NULL,
      ALTER COLUMN position DROP NOT NULL,
      ADD COLUMN digest bytea CHECK (octet_length(digest) = 32),
      ADD COLUMN held bigint CHECK (held >= 0),
      ADD COLUMN style text CHECK (style IN ('follow', 'push', 'pushAsync', 'files')),
      ADD COLUMN instance text CHECK (instance ~ '^[0-9a-f]{32}$'),
      ADD COLUMN serial text,
      ADD COLUMN former_instance text,
      ADD COLUMN former_serial text,
      ADD COLUMN former_seen_at timestamptz,
      ADD COLUMN other_instance_at timestamptz,
      ADD COLUMN shares_serial boolean NOT NULL DEFAULT false;
    ALTER TABLE import ADD COLUMN after_position bigint NOT NULL DEFAULT 0;
    UPDATE import
       SET after_position = COALESCE((SELECT max(last_position)
                                        FROM journal_batch
                                       WHERE published_at < imported_at), 0);
    CREATE INDEX ground_import ON ground (import_id) WHERE import_id IS NOT NULL;
    CREATE INDEX ground_own ON ground (scope, source) WHERE scope <> 0 AND ended_at IS NULL;
    CREATE INDEX journal_digest_batch ON journal_digest (last_position);
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
    CREATE TABLE exchange_parameters (
      operator_id     integer     NOT NULL REFERENCES operator,
      version         integer     NOT NULL CHECK (version > 0),
      node_id         integer     NOT NULL,
      style           text        NOT NULL
                      CHECK (style IN ('follow', 'push', 'pushAsync', 'files')),
      effective_after bigint      NOT NULL CHECK (effective_after >= 0),
      document        text        NOT NULL,
      proposed_at     timestamptz NOT NULL DEFAULT now(),
      proposed_by     text        NOT NULL,
      PRIMARY KEY (operator_id, version)
    );
    CREATE TABLE exchange_confirmation (
      operator_id     integer     NOT NULL,
      version         integer     NOT NULL,
      node_id         integer     NOT NULL,
      confirmed_at    timestamptz NOT NULL DEFAULT now(),
      confirmed_by    text        NOT NULL,
      PRIMARY KEY (operator_id, version, node_id),
      FOREIGN KEY (operator_id, version) REFERENCES exchange_parameters
    );
    CREATE TABLE mass_approval (
      import_id     bigint      NOT NULL REFERENCES import,
      token_id      integer     NOT NULL REFERENCES api_token,
      approved_at   timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (import_id, token_id)
    );
    CREATE TABLE mass_mark (
      import_id      bigint      PRIMARY KEY REFERENCES import,
      after_position bigint      NOT NULL,
      up_to_position bigint      NOT NULL,
      blacks         bigint      NOT NULL CHECK (blacks > 0),
      marked_at      timestamptz NOT NULL DEFAULT now(),
      CHECK (after_position < up_to_position)
    );
    CREATE TABLE exchange_message (
      node_id       integer     NOT NULL REFERENCES node,
      key           text        NOT NULL CHECK (key ~ '^[A-Za-z0-9._-]{1,64}$'),
      hash          bytea       NOT NULL CHECK (octet_length(hash) = 32),
      received_at   timestamptz NOT NULL DEFAULT now(),
      status        smallint,
      content_type  text,
      location      text,
      body          bytea,
      PRIMARY KEY (node_id, key)
    );
    CREATE INDEX exchange_message_received ON exchange_message (received_at);
    CREATE TABLE exchange_query (
      query         text        PRIMARY KEY DEFAULT replace(gen_random_uuid()::text, '-', ''),
      node_id       integer     NOT NULL REFERENCES node,
      received_at   timestamptz NOT NULL DEFAULT now(),
      request       bytea,
      answer        bytea,
      code          integer,
      answered_at   timestamptz,
      CHECK ((request IS NULL) = (answered_at IS NOT NULL)),
      CHECK ((answered_at IS NULL) = (answer IS NULL AND code IS NULL)),
      CHECK (answer IS NULL OR code IS NULL)
    );
    CREATE INDEX exchange_query_received ON exchange_query (received_at);
    CREATE INDEX exchange_query_pending ON exchange_query (received_at) WHERE answered_at IS NULL;
    CREATE TABLE operator_request (
      request_id     bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      request        text        NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
      operator_id    integer     NOT NULL REFERENCES operator,
      node_id        integer     NOT NULL REFERENCES node,
      kind           text        NOT NULL CHECK (kind IN ('block', 'unblock')),
      imei           bigint      NOT NULL CHECK (imei BETWEEN 0 AND 99999999999999),
      imsi           bigint      NOT NULL,
      subscriber     text        NOT NULL CHECK (subscriber IN ('none', 'own', 'other')),
      reason         text        NOT NULL,
      case_reference text        NOT NULL,
      state          text        NOT NULL CHECK (state IN ('pending', 'accepted', 'refused')),
      marks          bigint[]    NOT NULL DEFAULT '{}',
      position       bigint,
      received_at    timestamptz NOT NULL DEFAULT now(),
      decided_at     timestamptz,
      decided_by     text,
      refusal        text,
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
    CREATE TABLE sighting_live (
      operator_id   integer     NOT NULL REFERENCES operator,
      day           date        NOT NULL,
      imei          bigint      NOT NULL CHECK (imei BETWEEN -1 AND 99999999999999),
      identity      text        NOT NULL,
      imsi          bigint      NOT NULL,
      status        smallint    NOT NULL CHECK (status BETWEEN 0 AND 3),
      msisdn        bigint      NOT NULL,
      technology    text        NOT NULL,
      seen_at       timestamptz NOT NULL,
      received_at   timestamptz NOT NULL DEFAULT now(),
      CHECK ((imei = -1) = (identity <> '')),
      PRIMARY KEY (operator_id, day, imei, identity, imsi, status)
    );
    CREATE INDEX sighting_live_day ON sighting_live (day);
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
      manifest            text        NOT NULL,
      written_at          timestamptz NOT NULL DEFAULT now(),
      published_at        timestamptz,
      resend_requested_at timestamptz,
      removed_at          timestamptz,
      PRIMARY KEY (operator_id, number)
    );
    CREATE INDEX replication_unpublished ON replication (operator_id, number)
      WHERE published_at IS NULL;
    CREATE INDEX replication_resend ON replication (resend_requested_at)
      WHERE resend_requested_at IS NOT NULL;
    CREATE INDEX replication_kept ON replication (operator_id, number) WHERE removed_at IS NULL;
    CREATE INDEX replication_full ON replication (operator_id, number) WHERE kind = 'full';
    CREATE TABLE inbound_file (
      node_id       integer     NOT NULL REFERENCES node,
      number        bigint      NOT NULL CHECK (number > 0),
      kind          text        NOT NULL CHECK (kind IN
                    ('requests', 'own-full', 'own-delta', 'sightings', 'resend',
                     'acknowledgement')),
      file_name     text        NOT NULL,
      sha256        bytea       NOT NULL CHECK (octet_length(sha256) = 32),
      state         text        NOT NULL CHECK (state IN ('processed', 'refused')),
      code          integer,
      taken         bigint      NOT NULL,
      refused       bigint      NOT NULL,
      response      bytea       NOT NULL,
      processed_at  timestamptz NOT NULL DEFAULT now(),
      CHECK ((state = 'refused') = (code IS NOT NULL)),
      PRIMARY KEY (node_id, number)
    );
    GRANT SELECT ON certificate, exchange_parameters, exchange_confirmation, mass_approval,
      mass_mark, exchange_message, exchange_query, operator_request, sighting_live, replication,
      inbound_file TO ceir_service;
    GRANT UPDATE (epoch, position, digest, held, style, seen_at, instance, serial, former_instance,
      former_serial, former_seen_at, other_instance_at, shares_serial) ON node_report
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
    """# + secondMigrationFunctions
}

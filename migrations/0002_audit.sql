-- The audit log: entries, the leaves of the hash tree, its full tiles, its signed checkpoints.
-- Entries, leaves, tiles and checkpoints are only ever added; the triggers below refuse anything else.
-- Personal data: a leaf holds a salted hash of its entry, never the entry.

CREATE TABLE audit_logs (
    id                TEXT PRIMARY KEY,
    tenant_id         TEXT NOT NULL,
    user_id           TEXT,
    username          TEXT NOT NULL,
    device_id         TEXT,
    jti               TEXT,
    ip                TEXT,
    user_agent        TEXT,
    source            TEXT NOT NULL,
    threat_score      DOUBLE PRECISION,
    decision_reason   TEXT,
    attestation_state TEXT,
    action_taken      TEXT NOT NULL,
    subject_kind      TEXT NOT NULL,
    subject_id        TEXT NOT NULL,
    detail            TEXT NOT NULL,
    correlation_id    TEXT,
    created_at        BIGINT NOT NULL,
    salt              BYTEA NOT NULL,
    commitment        BYTEA NOT NULL
);
CREATE INDEX audit_logs_by_time    ON audit_logs (tenant_id, created_at, id);
CREATE INDEX audit_logs_by_subject ON audit_logs (tenant_id, subject_kind, subject_id, created_at);
CREATE INDEX audit_logs_by_user    ON audit_logs (tenant_id, user_id, created_at);
CREATE INDEX audit_logs_by_action  ON audit_logs (tenant_id, action_taken, created_at);

-- Entries waiting for their place in the tree; filled by a trigger in the transaction that writes the entry.
CREATE TABLE audit_pending (
    entry_id   TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL,
    commitment BYTEA NOT NULL
);

-- One row: the name of the log and the right edge of its tree. Updating it is what keeps sequencing to one process at a time.
CREATE TABLE audit_tree (
    id       BIGINT PRIMARY KEY,
    origin   TEXT NOT NULL,
    size     BIGINT NOT NULL,
    frontier BYTEA NOT NULL
);

CREATE TABLE audit_leaves (
    leaf_index BIGINT PRIMARY KEY,
    entry_id   TEXT NOT NULL,
    tenant_id  TEXT NOT NULL,
    leaf       BYTEA NOT NULL,
    leaf_hash  BYTEA NOT NULL
);
CREATE UNIQUE INDEX audit_leaves_by_entry ON audit_leaves (entry_id);

-- Full tiles of 256 hashes (C2SP tlog-tiles); partial ones are read from the level below.
CREATE TABLE audit_tiles (
    tile_level BIGINT NOT NULL,
    tile_index BIGINT NOT NULL,
    hashes     BYTEA NOT NULL,
    root       BYTEA NOT NULL,
    PRIMARY KEY (tile_level, tile_index)
);

CREATE TABLE audit_checkpoints (
    tree_size  BIGINT PRIMARY KEY,
    root       BYTEA NOT NULL,
    note       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Public keys that ever signed a checkpoint; a checkpoint must verify long after its key was retired.
CREATE TABLE audit_keys (
    verifier_key  TEXT PRIMARY KEY,
    first_used_at BIGINT NOT NULL
);

-- only: sqlite
CREATE TRIGGER audit_logs_pending AFTER INSERT ON audit_logs BEGIN
    INSERT INTO audit_pending (entry_id, tenant_id, commitment) VALUES (NEW.id, NEW.tenant_id, NEW.commitment);
END;
CREATE TRIGGER audit_logs_no_update BEFORE UPDATE ON audit_logs BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_logs_no_delete BEFORE DELETE ON audit_logs BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_leaves_no_update BEFORE UPDATE ON audit_leaves BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_leaves_no_delete BEFORE DELETE ON audit_leaves BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_tiles_no_update BEFORE UPDATE ON audit_tiles BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_tiles_no_delete BEFORE DELETE ON audit_tiles BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_checkpoints_no_update BEFORE UPDATE ON audit_checkpoints BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_checkpoints_no_delete BEFORE DELETE ON audit_checkpoints BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_keys_no_update BEFORE UPDATE ON audit_keys BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_keys_no_delete BEFORE DELETE ON audit_keys BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
-- end

-- only: postgres
CREATE FUNCTION audit_logs_to_pending() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_pending (entry_id, tenant_id, commitment) SELECT id, tenant_id, commitment FROM added;
    RETURN NULL;
END $$;
CREATE TRIGGER audit_logs_pending AFTER INSERT ON audit_logs REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION audit_logs_to_pending();
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER audit_logs_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_logs FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_leaves_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_leaves FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_tiles_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_tiles FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_checkpoints_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoints FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_keys_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_keys FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
-- end

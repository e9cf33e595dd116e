-- Streams of security events to receivers, and the events they hold until they are taken.

CREATE TABLE event_streams (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    description TEXT,
    method TEXT NOT NULL,
    endpoint TEXT,
    -- The header the receiver wants, sealed by the key store.
    authorization_sealed BYTEA,
    -- Event types asked for, as JSON.
    requested TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    verified_at BIGINT,
    -- Why the last delivery failed.
    trouble TEXT,
    version BIGINT NOT NULL
);

CREATE INDEX event_streams_tenant ON event_streams (tenant_id, id);

-- Subjects a stream leaves out, by fingerprint; it brings events about all others.
CREATE TABLE event_stream_exclusions (
    stream_id TEXT NOT NULL REFERENCES event_streams (id),
    tenant_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (stream_id, fingerprint)
);

CREATE INDEX event_stream_exclusions_fingerprint ON event_stream_exclusions (tenant_id, fingerprint);

CREATE TABLE held_events (
    -- `jti` of its token.
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    stream_id TEXT NOT NULL REFERENCES event_streams (id),
    -- The same for everything told because of one thing that happened.
    txn TEXT NOT NULL,
    event TEXT NOT NULL,
    subject TEXT NOT NULL,
    claims TEXT NOT NULL,
    -- About the stream itself: brought even while it is paused.
    is_control BOOLEAN NOT NULL,
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    error TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    UNIQUE (stream_id, txn, event)
);

CREATE INDEX held_events_stream ON held_events (tenant_id, stream_id, state, id);
CREATE INDEX held_events_waiting ON held_events (stream_id) WHERE state = 'waiting';
CREATE INDEX held_events_delivered ON held_events (finished_at) WHERE state = 'delivered';

-- Scans, their stages, what the stages brought back, and figures about them.

CREATE TABLE scans (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    target_name TEXT NOT NULL,
    profile TEXT NOT NULL,
    options TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'importing', 'completed', 'failed', 'cancelled')),
    progress DOUBLE PRECISION NOT NULL,
    stage TEXT,
    authorization_id TEXT NOT NULL,
    requested_by TEXT,
    job_id TEXT,
    cancel_requested BOOLEAN NOT NULL,
    error TEXT,
    summary TEXT,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    version BIGINT NOT NULL
);

CREATE INDEX scans_tenant ON scans (tenant_id, id);
CREATE INDEX scans_target ON scans (tenant_id, target_id, id);
CREATE INDEX scans_unfinished ON scans (created_at) WHERE state IN ('queued', 'running', 'importing');

CREATE TABLE scan_stages (
    tenant_id TEXT NOT NULL,
    scan_id TEXT NOT NULL REFERENCES scans (id),
    position BIGINT NOT NULL,
    name TEXT NOT NULL,
    tool TEXT NOT NULL,
    tool_version TEXT,
    state TEXT NOT NULL,
    reason TEXT,
    argv TEXT NOT NULL,
    -- What later stages build on: open ports and what answers there.
    surface TEXT,
    started_at BIGINT,
    finished_at BIGINT,
    PRIMARY KEY (tenant_id, scan_id, position)
);

CREATE TABLE scan_artifacts (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    scan_id TEXT NOT NULL REFERENCES scans (id),
    position BIGINT NOT NULL,
    tool TEXT NOT NULL,
    records_key TEXT NOT NULL,
    raw_key TEXT,
    records BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    ingested_at BIGINT,
    summary TEXT,
    UNIQUE (tenant_id, scan_id, position)
);

CREATE TABLE scan_metrics (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    scan_id TEXT NOT NULL REFERENCES scans (id),
    name TEXT NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    recorded_at BIGINT NOT NULL
);

CREATE INDEX scan_metrics_scan ON scan_metrics (tenant_id, scan_id);
CREATE INDEX scan_metrics_name ON scan_metrics (tenant_id, name, recorded_at);

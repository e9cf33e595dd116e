-- Reports: what was asked for, where it stands, and where its files lie in the blob store.

CREATE TABLE reports (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    request TEXT NOT NULL,
    state TEXT NOT NULL,
    error TEXT,
    digest TEXT,
    findings BIGINT,
    snapshot_key TEXT,
    html_key TEXT,
    pdf_key TEXT,
    requested_by TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    deleted_at BIGINT
);

CREATE INDEX reports_tenant ON reports (tenant_id, id);

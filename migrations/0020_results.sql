-- What people write down about a finding: questions, what was tried, who is on it. Nothing follows from it.

CREATE TABLE finding_notes (
    id              TEXT PRIMARY KEY,
    tenant_id       TEXT NOT NULL,
    finding_id      TEXT NOT NULL,
    text            TEXT NOT NULL,
    written_by      TEXT,
    written_by_name TEXT NOT NULL,
    -- The export of another instance it came over with.
    import_id       TEXT,
    created_at      BIGINT NOT NULL
);
CREATE INDEX finding_notes_by_finding ON finding_notes (tenant_id, finding_id, id);

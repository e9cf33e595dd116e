-- Imports, observations (never changed), findings (table `vulnerabilities`), their keys, decisions, history, and coverage.

CREATE TABLE imports (
    id              TEXT PRIMARY KEY,
    tenant_id       TEXT NOT NULL,
    format          TEXT NOT NULL,
    filename        TEXT,
    sha256          TEXT,
    raw_key         TEXT,
    target_id       TEXT,
    scan_id         TEXT,
    artifact_id     TEXT,
    idempotency_key TEXT,
    summary         TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    created_by      TEXT NOT NULL
);
CREATE INDEX imports_list ON imports (tenant_id, id);
CREATE UNIQUE INDEX imports_once_per_artifact ON imports (tenant_id, artifact_id) WHERE artifact_id IS NOT NULL;
CREATE UNIQUE INDEX imports_once_per_key ON imports (tenant_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- `state` is what tools said last; `status` is derived from it and the decision, and gives way to `base_status` at `status_until`.
CREATE TABLE vulnerabilities (
    id             TEXT PRIMARY KEY,
    tenant_id      TEXT NOT NULL,
    -- Empty when the finding belongs to no target.
    target_id      TEXT NOT NULL,
    source         TEXT NOT NULL,
    check_id       TEXT NOT NULL,
    title          TEXT NOT NULL,
    description    TEXT NOT NULL,
    remediation    TEXT,
    severity       BIGINT NOT NULL,
    cvss           TEXT,
    cvss_score     DOUBLE PRECISION,
    cwes           TEXT NOT NULL,
    cves           TEXT NOT NULL,
    refs           TEXT NOT NULL,
    tags           TEXT NOT NULL,
    location       TEXT NOT NULL,
    confidence     BIGINT NOT NULL,
    -- ` CVE-2024-1 CWE-79 `, and title, place and check in lower case.
    labels         TEXT NOT NULL,
    search         TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('present', 'absent', 'not_retested')),
    status         TEXT NOT NULL,
    status_until   BIGINT,
    base_status    TEXT NOT NULL,
    ambiguous      BOOLEAN NOT NULL,
    first_seen     BIGINT NOT NULL,
    last_seen      BIGINT NOT NULL,
    last_scan      TEXT,
    last_import    TEXT NOT NULL,
    times_seen     BIGINT NOT NULL,
    decision_id    TEXT,
    decision_kind  TEXT,
    decision_until BIGINT,
    decision_at    BIGINT
);
CREATE INDEX vulnerabilities_by_severity ON vulnerabilities (tenant_id, severity, id);
CREATE INDEX vulnerabilities_by_target ON vulnerabilities (tenant_id, target_id, source, state);
CREATE INDEX vulnerabilities_by_first_seen ON vulnerabilities (tenant_id, first_seen, id);
CREATE INDEX vulnerabilities_by_last_seen ON vulnerabilities (tenant_id, last_seen, id);
CREATE INDEX vulnerabilities_ending ON vulnerabilities (status_until) WHERE status_until IS NOT NULL;

CREATE TABLE finding_keys (
    tenant_id  TEXT NOT NULL,
    finding_id TEXT NOT NULL,
    -- Position among the finding's keys: 0 is the strongest.
    position   BIGINT NOT NULL,
    scheme     TEXT NOT NULL,
    version    BIGINT NOT NULL,
    digest     TEXT NOT NULL,
    PRIMARY KEY (finding_id, digest)
);
CREATE INDEX finding_keys_by_digest ON finding_keys (tenant_id, digest);

CREATE TABLE observations (
    id          TEXT PRIMARY KEY,
    tenant_id   TEXT NOT NULL,
    finding_id  TEXT NOT NULL,
    import_id   TEXT NOT NULL,
    scan_id     TEXT,
    body        TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE INDEX observations_by_finding ON observations (tenant_id, finding_id, id);
CREATE INDEX observations_by_scan ON observations (tenant_id, scan_id, finding_id);

CREATE TABLE finding_history (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL,
    finding_id TEXT NOT NULL,
    kind       TEXT NOT NULL,
    scan_id    TEXT,
    import_id  TEXT,
    note       TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX finding_history_by_finding ON finding_history (tenant_id, finding_id, id);

CREATE TABLE decisions (
    id              TEXT PRIMARY KEY,
    tenant_id       TEXT NOT NULL,
    finding_id      TEXT NOT NULL,
    kind            TEXT NOT NULL,
    reason          TEXT NOT NULL,
    valid_until     BIGINT,
    decided_by      TEXT,
    decided_by_name TEXT NOT NULL,
    decided_at      BIGINT NOT NULL
);
CREATE INDEX decisions_by_finding ON decisions (tenant_id, finding_id, id);

CREATE TABLE coverage (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL,
    import_id  TEXT NOT NULL,
    scan_id    TEXT,
    target_id  TEXT NOT NULL,
    source     TEXT NOT NULL,
    check_set  TEXT NOT NULL,
    location   TEXT NOT NULL,
    status     TEXT NOT NULL,
    reason     TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX coverage_by_scan ON coverage (tenant_id, scan_id, id);
CREATE INDEX coverage_by_target ON coverage (tenant_id, target_id, id);

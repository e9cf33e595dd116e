-- What feeds say about vulnerabilities, joined when findings are read; and the order and due dates that follow from it.

-- One row per feed that was ever loaded: without it a vulnerability is not unlisted but unchecked.
CREATE TABLE feeds (
    tenant_id  TEXT NOT NULL,
    kind       TEXT NOT NULL,
    -- Counts the files taken in.
    revision   BIGINT NOT NULL,
    version    TEXT,
    -- The day its entries are of, as 2026-11-22.
    released   TEXT,
    entries    BIGINT NOT NULL,
    sha256     TEXT NOT NULL,
    filename   TEXT,
    updated_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kind)
);

CREATE TABLE epss (
    tenant_id   TEXT NOT NULL,
    cve         TEXT NOT NULL,
    probability DOUBLE PRECISION NOT NULL,
    percentile  DOUBLE PRECISION,
    PRIMARY KEY (tenant_id, cve)
);

CREATE TABLE kev (
    tenant_id  TEXT NOT NULL,
    cve        TEXT NOT NULL,
    vendor     TEXT NOT NULL,
    product    TEXT NOT NULL,
    name       TEXT NOT NULL,
    added      TEXT,
    due        TEXT,
    ransomware BOOLEAN NOT NULL,
    action     TEXT NOT NULL,
    PRIMARY KEY (tenant_id, cve)
);

-- Days to fix per severity; an empty unit is the whole organisation.
CREATE TABLE sla_policies (
    tenant_id  TEXT NOT NULL,
    unit       TEXT NOT NULL,
    policy     TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, unit)
);

-- Ten-thousandths of a point, negative until assessed; a job keeps it in step with feeds, targets and time.
ALTER TABLE vulnerabilities ADD COLUMN risk BIGINT NOT NULL DEFAULT -1;
ALTER TABLE vulnerabilities ADD COLUMN due_at BIGINT;
CREATE INDEX vulnerabilities_by_risk ON vulnerabilities (tenant_id, risk, id);
CREATE INDEX vulnerabilities_by_due ON vulnerabilities (tenant_id, due_at, id) WHERE due_at IS NOT NULL;

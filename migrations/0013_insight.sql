-- Names of the same vulnerability, clusters joined by hand, what past decisions tell about new findings, and mappings that people wrote.

-- Every name of a vulnerability that a finding in a package ever had, and the one by which its group is known.
CREATE TABLE vulnerability_aliases (
    tenant_id  TEXT NOT NULL,
    name       TEXT NOT NULL,
    group_name TEXT NOT NULL,
    PRIMARY KEY (tenant_id, name)
);
CREATE INDEX vulnerability_aliases_by_group ON vulnerability_aliases (tenant_id, group_name);

-- What would be put into `cluster` is put into `joined` instead.
CREATE TABLE cluster_joins (
    tenant_id  TEXT NOT NULL,
    cluster    TEXT NOT NULL,
    joined     TEXT NOT NULL,
    reason     TEXT NOT NULL,
    joined_by  TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, cluster)
);

CREATE TABLE false_positive_models (
    tenant_id       TEXT PRIMARY KEY,
    -- Absent while past decisions are too few or tell nothing; `why_not` says which.
    model           TEXT,
    why_not         TEXT,
    decisions       BIGINT NOT NULL,
    false_positives BIGINT NOT NULL,
    -- The newest decision it knows of.
    latest          TEXT NOT NULL,
    updated_at      BIGINT NOT NULL
);

CREATE TABLE import_mappings (
    tenant_id  TEXT NOT NULL,
    name       TEXT NOT NULL,
    -- As it was written.
    document   TEXT NOT NULL,
    saved_by   TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, name)
);

CREATE INDEX finding_history_by_kind ON finding_history (tenant_id, kind, created_at);

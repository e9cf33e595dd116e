-- Targets and the authorisations to test them. Deleted targets stay, unseen, because authorisations are evidence.

CREATE TABLE targets (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    address TEXT,
    description TEXT NOT NULL,
    tags TEXT NOT NULL,
    owner TEXT,
    environment TEXT,
    criticality TEXT NOT NULL,
    -- Name and address in lower case: the engines' own LOWER disagree beyond ASCII.
    search TEXT NOT NULL,
    created_by TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    version BIGINT NOT NULL
);

CREATE INDEX targets_tenant ON targets (tenant_id, id);
CREATE INDEX targets_tenant_name ON targets (tenant_id, name, kind);

CREATE TABLE target_tags (
    tenant_id TEXT NOT NULL,
    tag TEXT NOT NULL,
    target_id TEXT NOT NULL REFERENCES targets (id),
    PRIMARY KEY (tenant_id, tag, target_id)
);

CREATE INDEX target_tags_target ON target_tags (tenant_id, target_id);

CREATE TABLE target_authorizations (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    target_id TEXT REFERENCES targets (id),
    rules TEXT NOT NULL,
    exclusions TEXT NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_until BIGINT NOT NULL,
    intrusiveness TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    evidence TEXT NOT NULL,
    evidence_file TEXT,
    created_by TEXT,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    revoked_reason TEXT
);

CREATE INDEX target_authorizations_target ON target_authorizations (tenant_id, target_id, valid_until);
CREATE INDEX target_authorizations_tenant ON target_authorizations (tenant_id, id);

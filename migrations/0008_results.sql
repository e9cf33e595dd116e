-- Bulk import, matching with a review queue, undo, decisions with scope, clusters, trends, saved filters.

-- `queued running done failed undone`; a file that waits is in the blobs under `raw_key`.
ALTER TABLE imports ADD COLUMN state TEXT NOT NULL DEFAULT 'done';
ALTER TABLE imports ADD COLUMN options TEXT NOT NULL DEFAULT '{}';
ALTER TABLE imports ADD COLUMN service TEXT NOT NULL DEFAULT '';
ALTER TABLE imports ADD COLUMN error TEXT;
ALTER TABLE imports ADD COLUMN ended_at BIGINT;

-- Identities are compared within a target and a service. `content` is a digest of what the tool last said.
ALTER TABLE vulnerabilities ADD COLUMN service TEXT NOT NULL DEFAULT '';
ALTER TABLE vulnerabilities ADD COLUMN asset TEXT NOT NULL DEFAULT '';
ALTER TABLE vulnerabilities ADD COLUMN content TEXT NOT NULL DEFAULT '';
ALTER TABLE vulnerabilities ADD COLUMN first_import TEXT NOT NULL DEFAULT '';
ALTER TABLE vulnerabilities ADD COLUMN fixed_at BIGINT;
-- Findings of several tools that share this are shown together; `cluster_fixed` says that a person chose it.
ALTER TABLE vulnerabilities ADD COLUMN cluster TEXT;
ALTER TABLE vulnerabilities ADD COLUMN cluster_reason TEXT;
ALTER TABLE vulnerabilities ADD COLUMN cluster_fixed BOOLEAN NOT NULL DEFAULT FALSE;
DROP INDEX vulnerabilities_by_target;
CREATE INDEX vulnerabilities_by_target ON vulnerabilities (tenant_id, target_id, source, id);
CREATE INDEX vulnerabilities_by_cluster ON vulnerabilities (tenant_id, cluster) WHERE cluster IS NOT NULL;
CREATE INDEX vulnerabilities_by_check ON vulnerabilities (tenant_id, source, check_id);

-- A key that a move made obsolete stays, out of use, so that the move can be undone.
ALTER TABLE finding_keys ADD COLUMN added_by TEXT;
ALTER TABLE finding_keys ADD COLUMN retired_by TEXT;

-- An empty body means: as the finding's newest one before.
ALTER TABLE observations ADD COLUMN observed_at TEXT;
DROP INDEX observations_by_scan;
CREATE INDEX observations_by_scan ON observations (tenant_id, scan_id, finding_id) WHERE scan_id IS NOT NULL;
CREATE INDEX observations_by_import ON observations (tenant_id, import_id);

-- What an import changed, as it was before; read by undo only.
CREATE TABLE finding_before (
    import_id      TEXT NOT NULL,
    tenant_id      TEXT NOT NULL,
    id             TEXT NOT NULL,
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
    labels         TEXT NOT NULL,
    search         TEXT NOT NULL,
    state          TEXT NOT NULL,
    ambiguous      BOOLEAN NOT NULL,
    last_seen      BIGINT NOT NULL,
    last_scan      TEXT,
    last_import    TEXT NOT NULL,
    times_seen     BIGINT NOT NULL,
    asset          TEXT NOT NULL,
    content        TEXT NOT NULL,
    fixed_at       BIGINT,
    cluster        TEXT,
    cluster_reason TEXT,
    PRIMARY KEY (import_id, id)
);

-- New findings that could be one of several older ones; a person says which.
CREATE TABLE finding_reviews (
    id          TEXT PRIMARY KEY,
    tenant_id   TEXT NOT NULL,
    finding_id  TEXT NOT NULL,
    import_id   TEXT NOT NULL,
    candidates  TEXT NOT NULL,
    reason      TEXT NOT NULL,
    outcome     TEXT,
    same_as     TEXT,
    resolved_by TEXT,
    resolved_at BIGINT,
    created_at  BIGINT NOT NULL
);
CREATE INDEX finding_reviews_open ON finding_reviews (tenant_id, id) WHERE outcome IS NULL;
CREATE INDEX finding_reviews_by_finding ON finding_reviews (tenant_id, finding_id);

-- `scope`: finding, rule_on_asset, rule. `state`: proposed, in_force, rejected, withdrawn, expired.
ALTER TABLE decisions ADD COLUMN scope TEXT NOT NULL DEFAULT 'finding';
ALTER TABLE decisions ADD COLUMN state TEXT NOT NULL DEFAULT 'in_force';
ALTER TABLE decisions ADD COLUMN source TEXT;
ALTER TABLE decisions ADD COLUMN check_id TEXT;
ALTER TABLE decisions ADD COLUMN asset TEXT;
ALTER TABLE decisions ADD COLUMN batch_id TEXT;
ALTER TABLE decisions ADD COLUMN previous_id TEXT;
ALTER TABLE decisions ADD COLUMN approved_by TEXT;
ALTER TABLE decisions ADD COLUMN approved_by_name TEXT;
ALTER TABLE decisions ADD COLUMN approved_at BIGINT;
CREATE INDEX decisions_by_rule ON decisions (tenant_id, source, check_id) WHERE scope <> 'finding';
CREATE INDEX decisions_by_batch ON decisions (tenant_id, batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX decisions_proposed ON decisions (tenant_id, id) WHERE state = 'proposed';
CREATE INDEX vulnerabilities_by_decision ON vulnerabilities (tenant_id, decision_id) WHERE decision_id IS NOT NULL;

CREATE TABLE finding_policies (
    tenant_id  TEXT PRIMARY KEY,
    -- Whether accepting a risk needs a second person.
    four_eyes  BOOLEAN NOT NULL,
    updated_at BIGINT NOT NULL
);

-- One row per day, target and severity, written once.
CREATE TABLE vulnerability_trends (
    tenant_id      TEXT NOT NULL,
    day            TEXT NOT NULL,
    target_id      TEXT NOT NULL,
    severity       BIGINT NOT NULL,
    opened         BIGINT NOT NULL,
    fixed          BIGINT NOT NULL,
    standing       BIGINT NOT NULL,
    accepted       BIGINT NOT NULL,
    false_positive BIGINT NOT NULL,
    overdue        BIGINT NOT NULL,
    seconds_to_fix BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, day, target_id, severity)
);

-- One row per day and tool, written once.
CREATE TABLE import_metrics (
    tenant_id    TEXT NOT NULL,
    day          TEXT NOT NULL,
    source       TEXT NOT NULL,
    imports      BIGINT NOT NULL,
    observations BIGINT NOT NULL,
    created      BIGINT NOT NULL,
    reopened     BIGINT NOT NULL,
    closed       BIGINT NOT NULL,
    not_retested BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, day, source)
);

CREATE TABLE finding_filters (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL,
    user_id    TEXT,
    name       TEXT NOT NULL,
    filter     TEXT NOT NULL,
    is_shared  BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX finding_filters_list ON finding_filters (tenant_id, name, id);

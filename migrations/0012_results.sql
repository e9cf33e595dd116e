-- A million findings: an index for every order and filter of a list, and figures that are kept instead of counted.

CREATE INDEX vulnerabilities_by_title ON vulnerabilities (tenant_id, title, id);
CREATE INDEX vulnerabilities_by_status ON vulnerabilities (tenant_id, status);
CREATE INDEX vulnerabilities_by_first_import ON vulnerabilities (tenant_id, first_import);
CREATE INDEX vulnerabilities_by_service ON vulnerabilities (tenant_id, service) WHERE service <> '';
-- The order of exports; and a check without its tool.
DROP INDEX vulnerabilities_by_check;
CREATE INDEX vulnerabilities_by_source ON vulnerabilities (tenant_id, source, check_id, id);
CREATE INDEX vulnerabilities_by_check ON vulnerabilities (tenant_id, check_id);
CREATE INDEX decisions_list ON decisions (tenant_id, id);
-- A digest and a finding's id say whose they are.
DROP INDEX observations_by_finding;
CREATE INDEX observations_by_finding ON observations (finding_id, id);
DROP INDEX finding_keys_by_digest;
-- only: sqlite
CREATE INDEX finding_keys_by_digest ON finding_keys (digest);
-- end
-- only: postgres
ALTER TABLE finding_keys DROP CONSTRAINT finding_keys_pkey;
ALTER TABLE finding_keys ADD PRIMARY KEY (digest, finding_id);
CREATE INDEX finding_keys_by_finding ON finding_keys (finding_id);
-- end

-- How many findings of each kind there are: the sum of all rows of a kind. The database keeps it in the transaction of each change.
CREATE TABLE finding_tallies (
    tenant_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    severity  BIGINT NOT NULL,
    status    TEXT NOT NULL,
    findings  BIGINT NOT NULL
);
INSERT INTO finding_tallies (tenant_id, target_id, severity, status, findings)
    SELECT tenant_id, target_id, severity, status, COUNT(*) FROM vulnerabilities GROUP BY tenant_id, target_id, severity, status;

-- only: sqlite
-- One writer: the row of a kind is changed in its place.
CREATE UNIQUE INDEX finding_tallies_of ON finding_tallies (tenant_id, target_id, severity, status);
CREATE TRIGGER vulnerabilities_tally_insert AFTER INSERT ON vulnerabilities BEGIN
    INSERT INTO finding_tallies (tenant_id, target_id, severity, status, findings)
        VALUES (NEW.tenant_id, NEW.target_id, NEW.severity, NEW.status, 1)
        ON CONFLICT (tenant_id, target_id, severity, status) DO UPDATE SET findings = findings + 1;
END;
CREATE TRIGGER vulnerabilities_tally_delete AFTER DELETE ON vulnerabilities BEGIN
    UPDATE finding_tallies SET findings = findings - 1
        WHERE tenant_id = OLD.tenant_id AND target_id = OLD.target_id AND severity = OLD.severity AND status = OLD.status;
END;
CREATE TRIGGER vulnerabilities_tally_update AFTER UPDATE OF status, severity, target_id ON vulnerabilities
    WHEN OLD.status <> NEW.status OR OLD.severity <> NEW.severity OR OLD.target_id <> NEW.target_id BEGIN
    UPDATE finding_tallies SET findings = findings - 1
        WHERE tenant_id = OLD.tenant_id AND target_id = OLD.target_id AND severity = OLD.severity AND status = OLD.status;
    INSERT INTO finding_tallies (tenant_id, target_id, severity, status, findings)
        VALUES (NEW.tenant_id, NEW.target_id, NEW.severity, NEW.status, 1)
        ON CONFLICT (tenant_id, target_id, severity, status) DO UPDATE SET findings = findings + 1;
END;
-- end

-- only: postgres
-- Many writers: each adds rows of its own, so that none waits for another; a job sums them up.
CREATE INDEX finding_tallies_of ON finding_tallies (tenant_id, target_id);
CREATE FUNCTION finding_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO finding_tallies (tenant_id, target_id, severity, status, findings)
            SELECT tenant_id, target_id, severity, status, COUNT(*) FROM added GROUP BY tenant_id, target_id, severity, status;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO finding_tallies (tenant_id, target_id, severity, status, findings)
            SELECT tenant_id, target_id, severity, status, -COUNT(*) FROM removed GROUP BY tenant_id, target_id, severity, status;
    ELSE
        INSERT INTO finding_tallies (tenant_id, target_id, severity, status, findings)
            SELECT tenant_id, target_id, severity, status, SUM(one) FROM (
                SELECT tenant_id, target_id, severity, status, 1 AS one FROM added
                UNION ALL SELECT tenant_id, target_id, severity, status, -1 FROM removed) AS turned
            GROUP BY tenant_id, target_id, severity, status HAVING SUM(one) <> 0;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER vulnerabilities_tally_insert AFTER INSERT ON vulnerabilities REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION finding_tally();
CREATE TRIGGER vulnerabilities_tally_update AFTER UPDATE ON vulnerabilities REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION finding_tally();
CREATE TRIGGER vulnerabilities_tally_delete AFTER DELETE ON vulnerabilities REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION finding_tally();

-- Parts of words are looked for in a million places and names. Where the extension may not be installed, looking takes longer.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX vulnerabilities_by_words ON vulnerabilities USING gin (search gin_trgm_ops);
    CREATE INDEX vulnerabilities_by_labels ON vulnerabilities USING gin (labels gin_trgm_ops);
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
    RAISE NOTICE 'pg_trgm is not there: filters by words read every finding';
END $$;
-- end

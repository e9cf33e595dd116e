-- When a finding was seen last is kept beside it: a run that says nothing new writes this narrow row, not the wide one into its many indexes.

-- `id` is the finding's.
CREATE TABLE finding_sightings (
    id          TEXT PRIMARY KEY,
    tenant_id   TEXT NOT NULL,
    last_seen   BIGINT NOT NULL,
    last_scan   TEXT,
    last_import TEXT NOT NULL,
    times_seen  BIGINT NOT NULL
);
INSERT INTO finding_sightings (id, tenant_id, last_seen, last_scan, last_import, times_seen)
    SELECT id, tenant_id, last_seen, last_scan, last_import, times_seen FROM vulnerabilities;
CREATE INDEX finding_sightings_by_last_seen ON finding_sightings (tenant_id, last_seen, id);
DROP INDEX vulnerabilities_by_last_seen;
ALTER TABLE vulnerabilities DROP COLUMN last_seen;
ALTER TABLE vulnerabilities DROP COLUMN last_scan;
ALTER TABLE vulnerabilities DROP COLUMN last_import;
ALTER TABLE vulnerabilities DROP COLUMN times_seen;

-- `finding_keys.added_by` is the import that added a name to a known finding; names a finding was born with need none.

-- An observation is a sighting. The database keeps the two in step, however many observations an import brings of a finding: it counts once, and
-- so does a scan, whose stages are imports of their own. Whoever finds by what was seen last learns of it as of any other change.

-- only: sqlite
CREATE TRIGGER observations_sighting AFTER INSERT ON observations BEGIN
    INSERT INTO finding_sightings (id, tenant_id, last_seen, last_scan, last_import, times_seen)
        VALUES (NEW.finding_id, NEW.tenant_id, NEW.created_at, NEW.scan_id, NEW.import_id, 1)
        ON CONFLICT (id) DO UPDATE SET
            last_seen = excluded.last_seen, last_scan = COALESCE(excluded.last_scan, last_scan), last_import = excluded.last_import,
            times_seen = times_seen + CASE WHEN last_scan = excluded.last_scan THEN 0 ELSE 1 END
        WHERE last_import <> excluded.last_import;
END;
CREATE TRIGGER finding_sightings_search_update AFTER UPDATE ON finding_sightings BEGIN
    INSERT INTO search_pending (index_name, document_id) VALUES ('vulnerabilities', NEW.id);
END;
-- end

-- only: postgres
CREATE FUNCTION finding_sighting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO finding_sightings AS known (id, tenant_id, last_seen, last_scan, last_import, times_seen)
        SELECT DISTINCT ON (finding_id) finding_id, tenant_id, created_at, scan_id, import_id, 1 FROM added ORDER BY finding_id, id DESC
        ON CONFLICT (id) DO UPDATE SET
            last_seen = excluded.last_seen, last_scan = COALESCE(excluded.last_scan, known.last_scan), last_import = excluded.last_import,
            times_seen = known.times_seen + CASE WHEN known.last_scan = excluded.last_scan THEN 0 ELSE 1 END
        WHERE known.last_import <> excluded.last_import;
    RETURN NULL;
END $$;
CREATE TRIGGER observations_sighting AFTER INSERT ON observations REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION finding_sighting();
CREATE TRIGGER finding_sightings_search_update AFTER UPDATE ON finding_sightings REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION search_note('vulnerabilities');
-- end

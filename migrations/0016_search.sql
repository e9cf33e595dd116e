-- Whoever is bound to business units finds by unit: a target that moves to another takes what hangs on it along in the index.

-- only: sqlite
CREATE TRIGGER targets_search_unit AFTER UPDATE OF unit ON targets WHEN OLD.unit IS NOT NEW.unit BEGIN
    INSERT INTO search_pending (index_name, document_id) SELECT 'vulnerabilities', id FROM vulnerabilities WHERE tenant_id = NEW.tenant_id AND target_id = NEW.id;
    INSERT INTO search_pending (index_name, document_id) SELECT 'scan_results', o.id FROM vulnerabilities v
        JOIN observations o ON o.tenant_id = v.tenant_id AND o.finding_id = v.id WHERE v.tenant_id = NEW.tenant_id AND v.target_id = NEW.id;
END;
-- end

-- only: postgres
-- The comparison is made within: a trigger that names a column would bind its type, and every start makes text columns compare by bytes.
CREATE FUNCTION search_note_unit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.unit IS DISTINCT FROM NEW.unit THEN
        INSERT INTO search_pending (index_name, document_id) SELECT 'vulnerabilities', id FROM vulnerabilities
            WHERE tenant_id = NEW.tenant_id AND target_id = NEW.id;
        INSERT INTO search_pending (index_name, document_id) SELECT 'scan_results', o.id FROM vulnerabilities v
            JOIN observations o ON o.tenant_id = v.tenant_id AND o.finding_id = v.id WHERE v.tenant_id = NEW.tenant_id AND v.target_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER targets_search_unit AFTER UPDATE ON targets FOR EACH ROW EXECUTE FUNCTION search_note_unit();
-- end
